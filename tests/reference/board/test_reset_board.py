# SPDX-License-Identifier: Apache-2.0
"""Factory reset by every route: nothing of the owner is left on the flash, the unit keeps who it is, and it can be set up anew."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dump import left_of, owners_files
from life import PASSWORD, log_in, set_up, unlock
from machine import Machine

HOLD_S = 5
OWNERS = {"sealed/.salt", "sealed/password", "sealed/user", "sealed/wifi"}
DONE = "^HT-1: factory reset done$"


def by_api(unit: Machine) -> None:
    assert unit.ask("POST", "/api/erase", {"password": PASSWORD}, log_in(unit))[0] == 202
    unit.expect("^HT-1: factory reset$")


def by_button(unit: Machine) -> None:
    unit.pins.press(True)
    unit.listen(HOLD_S / 2)
    unit.pins.press(False)
    unit.listen(1)  # the device looks at its button every 50 ms of its own
    assert unit.ask("GET", "/api/info")[1]["setup"] == "done"
    began = time.monotonic()
    unit.pins.press(True)
    unit.expect("^HT-1: factory reset$")
    assert time.monotonic() - began > HOLD_S * 0.9
    unit.pins.press(False)


def while_powering_on(unit: Machine) -> None:
    unit.off()
    unit.on()
    unit.pins.press(True)
    unit.expect("^HT-1: factory reset$")
    unit.pins.press(False)


def by_console(unit: Machine) -> None:
    unlock(unit)
    unit.type("factory-reset\r")
    unit.expect("^HT-1: factory reset goes on$")


def by_recovery(unit: Machine) -> None:
    unit.off()
    for slot in ("slot-a", "slot-b"):
        unit.flip(slot, 1_000_000)
    unit.on()
    unit.expect("^HT-1: RECOVERY$")
    for on in (True, False, True, False):  # it blinks
        unit.pins.wait_for_led(on, 10)
    unit.pins.press(True)
    unit.expect("^HT-1: factory reset at the next start$")
    unit.pins.press(False)
    unit.expect("^HT-1: factory reset goes on$")


ROUTES = [by_button, *(pytest.param(route, marks=pytest.mark.full) for route in (by_api, while_powering_on, by_console, by_recovery))]


@pytest.mark.parametrize("route", ROUTES)
def test_a_reset_leaves_nothing_of_the_owner(route: Callable[[Machine], None], machine: Machine, tmp_path: Path) -> None:
    machine.on()
    machine.ready()
    token = set_up(machine)
    assert machine.ask("PUT", "/api/user", {"name": "Ada Canary", "email": "ada@canary.example", "device_name": "hall"}, token)[0] == 200
    files = owners_files(machine, tmp_path)
    assert {*left_of(machine, files)} >= OWNERS, "the search finds what is there"
    route(machine)
    machine.expect(DONE)
    if route is by_recovery:
        machine.expect("^HT-1: RECOVERY$")
        machine.off()
        for slot in ("slot-a", "slot-b"):
            machine.flip(slot, 1_000_000)
        machine.on()
    machine.ready()
    assert machine.ask("GET", "/api/info")[1] == {"model": "HT-1", "setup": "open"}
    machine.off()
    assert left_of(machine, files) == []


@pytest.mark.full
def test_what_a_repair_has_rescued_is_erased_too(machine: Machine, tmp_path: Path) -> None:
    machine.on()
    machine.ready()
    set_up(machine)
    files = owners_files(machine, tmp_path)
    machine.off()
    image = tmp_path / "data.ext4"  # whose folder of records is lost, and found by the repair
    subprocess.run(["debugfs", "-w", "-R", "clri /app/sealed", image], check=True, timeout=60, capture_output=True)
    machine.put("data", image.read_bytes())
    machine.flip("data", 1024 + 4)
    machine.on()
    machine.expect("^HT-1: data repaired$")
    machine.ready()
    assert "sealed/.salt" in left_of(machine, files)
    machine.pins.press(True)
    machine.expect(DONE)
    machine.pins.press(False)
    machine.ready()
    assert left_of(machine, files) == []


def test_after_a_reset_it_is_the_same_unit_and_can_be_set_up_anew(machine: Machine) -> None:
    machine.on()
    machine.ready()
    set_up(machine)
    by_api(machine)
    machine.expect(DONE)
    machine.ready()
    # ask() holds its certificate against the factory's record each time.
    assert machine.ask("POST", "/api/login", {"password": PASSWORD})[0] in (401, 403, 409)
    set_up(machine)


@pytest.mark.full
def test_broken_data_are_erased_when_the_button_says_so_and_the_unit_works_again(machine: Machine) -> None:
    machine.put("data", b"\0" * 1080 + b"\x53\xef" + b"\0" * (4 << 20) + b"canary of the owner before")  # of an ext4 only its magic number
    for _ in range(6):
        machine.on()
        machine.expect("Starting kernel")
        machine.off()
    machine.on()
    machine.expect("^HT-1: data cannot be mounted$")
    machine.expect("^HT-1: RECOVERY$")
    machine.pins.press(True)
    machine.expect("^HT-1: factory reset at the next start$")
    machine.pins.press(False)
    machine.expect(DONE)
    machine.ready(slot="A")
    machine.off()
    assert b"canary of the owner before" not in (machine.unit / "main.raw").read_bytes()
