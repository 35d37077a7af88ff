# SPDX-License-Identifier: Apache-2.0
"""LED and button: the lamp shows the heater, which works without a network and after a power cut; a short press does nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from life import log_in, run, set_up, unlock
from machine import Machine, make_unit
from network import BRIDGE, Network, ip

WARM, COLD = 30, 5
SWITCHES_S = 15  # the control loop looks once a second; a busy host takes longer
HOLD_S = 5
# Cold from Monday, warm from Thursday: what it is today does not matter where the clock is set.
SCHEDULE = [{"day": 0, "at": "00:00", "celsius": COLD}, {"day": 3, "at": "00:00", "celsius": WARM}]
MONDAY, FRIDAY = "2027-03-01 12:00", "2027-03-05 12:00"


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[tuple[Machine, str]]:
    """A unit that was set up, and its owner's token."""
    folder = tmp_path_factory.mktemp("pins") / "unit"
    make_unit(folder)
    machine = Machine(folder, network.tap(), power_loss=True)
    try:
        machine.on()
        machine.ready()
        yield machine, set_up(machine, auto_update=False)
    finally:
        machine.close()


def set_target(machine: Machine, token: str, celsius: float) -> None:
    assert machine.ask("PUT", "/api/target", {"celsius": celsius}, token) == (200, {"target": celsius})


def shows(machine: Machine, token: str, on: bool) -> None:
    """The lamp goes so, and that is what the heater does."""
    machine.pins.wait_for_led(on, SWITCHES_S)
    assert machine.ask("GET", "/api/state", token=token)[1]["heating"] is on


def stays(machine: Machine, token: str, on: bool) -> None:
    """Through four rounds at least of the control loop, by the device's own clock."""
    begin = machine.ask("GET", "/api/state", token=token)[1]["uptime_s"]
    end = time.monotonic() + 60
    while machine.ask("GET", "/api/state", token=token)[1]["uptime_s"] < begin + 5:
        assert machine.pins.led() is on
        assert time.monotonic() < end, "its clock stands still"


def stays_unasked(machine: Machine, on: bool, seconds: float = 5) -> None:
    """The same of a unit that nobody can ask."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert machine.pins.led() is on
        machine.listen(0.05)


def set_clock(machine: Machine, to: str) -> None:
    run(machine, f"date -s '{to}'")


def test_the_led_follows_the_heater(owned: tuple[Machine, str]) -> None:
    unit, token = owned
    new = unit.ask("GET", "/api/state", token=token)[1]
    assert new["temperature"] < new["target"], "a new unit in a cold room"
    shows(unit, token, True)
    for _ in range(2):
        set_target(unit, token, COLD)
        shows(unit, token, False)
        set_target(unit, token, WARM)
        shows(unit, token, True)


def test_at_the_target_the_heater_stays_what_it_was(owned: tuple[Machine, str]) -> None:
    unit, token = owned
    for edge, on in ((WARM, True), (COLD, False)):
        set_target(unit, token, edge)
        shows(unit, token, on)
        set_target(unit, token, round(unit.ask("GET", "/api/state", token=token)[1]["temperature"], 1))
        stays(unit, token, on)


def test_a_target_that_cannot_be_moves_nothing(owned: tuple[Machine, str]) -> None:
    unit, token = owned
    set_target(unit, token, COLD)
    shows(unit, token, False)
    for celsius in (WARM + 0.5, COLD - 0.5, -300, 1e9, "30", None, True):
        assert unit.ask("PUT", "/api/target", {"celsius": celsius}, token)[0] == 400, celsius
    assert unit.ask("PUT", "/api/target", {"celsius": WARM})[0] == 401
    stays(unit, token, False)


def test_after_a_power_cut_the_kept_target_rules_without_a_network(owned: tuple[Machine, str]) -> None:
    unit, token = owned
    set_target(unit, token, WARM)
    shows(unit, token, True)
    set_target(unit, token, COLD)
    unit.off()  # what it answered 200 to has to be on the disk
    ip("link", "set", unit.tap, "nomaster")
    try:
        unit.on()
        unit.expect("^HT-1: READY ")
        stays_unasked(unit, False)
        assert "HT-1: net " not in unit.console, "there is no network that could have given it an address"
    finally:
        ip("link", "set", unit.tap, "master", BRIDGE)
    unit.seen = 0
    unit.ready()
    token = log_in(unit)
    assert unit.ask("GET", "/api/state", token=token)[1]["target"] == COLD
    shows(unit, token, False)
    set_target(unit, token, WARM)
    shows(unit, token, True)


def test_it_heats_by_schedule_without_a_network(owned: tuple[Machine, str]) -> None:
    unit, _ = owned
    token = log_in(unit)
    unlock(unit)
    set_clock(unit, MONDAY)
    assert unit.ask("PUT", "/api/schedule", SCHEDULE, token)[0] == 200
    shows(unit, token, False)
    ip("link", "set", unit.tap, "nomaster")
    try:
        for clock, on in ((FRIDAY, True), (MONDAY, False), (FRIDAY, True)):
            set_clock(unit, clock)
            unit.pins.wait_for_led(on, SWITCHES_S)
            stays_unasked(unit, on, 3)
        with pytest.raises(OSError):
            unit.ask("GET", "/api/info")
    finally:
        ip("link", "set", unit.tap, "master", BRIDGE)
    shows(unit, token, True)


def test_a_button_that_is_held_too_short_does_nothing(owned: tuple[Machine, str]) -> None:
    unit, _ = owned
    unit.off()
    unit.on()
    unit.ready()
    token = log_in(unit)
    unlock(unit)
    before = unit.ask("GET", "/api/state", token=token)[1]
    for hold in (0.3, HOLD_S - 1, HOLD_S - 1):  # together longer than one that counts
        held(unit, hold)
    after = unit.ask("GET", "/api/state", token=token)[1]  # a token does not outlive a restart
    assert (after["target"], after["heating"]) == (before["target"], before["heating"])
    assert unit.pins.led() is before["heating"]
    assert unit.ask("GET", "/api/info")[1]["setup"] == "done"
    assert not [entry for entry in unit.ask("GET", "/api/log", token=token)[1] if "reset" in entry["event"]]
    assert "factory reset" not in unit.console
    # The same button, held long enough.
    unit.pins.press(True)
    began = time.monotonic()
    unit.expect("^HT-1: factory reset$", 30)
    assert time.monotonic() - began > HOLD_S * 0.9
    unit.pins.press(False)


def held(unit: Machine, seconds: float) -> None:
    """Pressed for so long; the unit's own software sees it, and sees it end."""
    for pressed in (True, False):
        unit.pins.press(pressed)
        end = time.monotonic() + seconds
        assert run(unit, "cat /run/pins/button/value").splitlines()[-1] == str(int(pressed))
        unit.listen(end - time.monotonic() if pressed else 0)
