# SPDX-License-Identifier: Apache-2.0
"""The boot chain: what is whole and signed starts, nothing else does, and there is always a way on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forged import CURRENT, unsigned, whose_daemon_ends, whose_start_hangs, wrongly_signed
from life import log_in, set_up
from machine import Machine

READY = r"^HT-1: READY version 1\.1\.0 slot {}$"


def full(*values: Any) -> list[Any]:
    return [pytest.param(value, marks=pytest.mark.full) for value in values]


def offset_in_fit(part: str) -> int:
    """Where the bytes of a sub-image, or of the signature, begin in the FIT, by their own first bytes in it."""
    node = ["/configurations/conf/signature", "value"] if part == "signature" else [f"/images/{part}", "data"]
    words = ["fdtget", "-t", "bx", CURRENT, *node]
    listed = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    first = bytes(int(byte, 16) for byte in listed.stdout[: 64 * 3].split()[:32])
    return CURRENT.read_bytes().index(first)


def test_a_sound_unit_starts_and_says_so_in_order(machine: Machine) -> None:
    machine.on()
    for line in ("slot A", "data ready"):
        machine.expect(f"^HT-1: {line}$")
    machine.expect(READY.format("A"))
    assert "refused" not in machine.console
    machine.seen = 0  # in any order with READY
    machine.expect("^HT-1: console locked$")
    machine.seen = 0
    machine.expect(r"^HT-1: net 10\.0\.2\.15$")
    status, info = machine.ask("GET", "/api/info")
    assert (status, info) == (200, {"model": "HT-1", "setup": "open"})


@pytest.mark.parametrize("part", ["kernel", *full("ramdisk", "fdt", "signature")])
def test_a_flipped_bit_is_refused_and_the_other_slot_starts(part: str, machine: Machine) -> None:
    machine.flip("slot-a", offset_in_fit(part) + 100)
    machine.on()
    machine.expect("^HT-1: slot A$")
    machine.expect("^HT-1: slot A refused$")
    machine.expect(READY.format("B"))


@pytest.mark.parametrize("forge", [wrongly_signed, *full(unsigned)])
def test_what_the_maker_did_not_sign_does_not_start(forge: Callable[[Path, Path], None], machine: Machine, tmp_path: Path) -> None:
    fit = tmp_path / "forged.itb"
    fit.write_bytes(CURRENT.read_bytes())
    forge(fit, tmp_path)
    machine.put("slot-a", fit.read_bytes())
    machine.on()
    machine.expect("Failed to verify required signature 'key-boot'")
    machine.expect("^HT-1: slot A refused$")
    machine.expect(READY.format("B"))


def test_without_a_slot_it_stays_in_recovery_and_without_that_it_says_so(machine: Machine) -> None:
    for slot in ("slot-a", "slot-b"):
        machine.flip(slot, offset_in_fit("kernel") + 5000)
    machine.on()
    machine.expect("^HT-1: slot recovery$")
    machine.expect("^HT-1: RECOVERY$")
    machine.off()
    machine.put("recovery", b"")
    machine.on()
    machine.expect("^HT-1: slot recovery refused$")
    machine.expect("^HT-1: NO VALID SOFTWARE$")
    machine.expect("^HT-1: NO VALID SOFTWARE$")
    assert "Starting kernel" not in machine.console


@pytest.mark.full
def test_a_slot_that_never_comes_up_is_given_up_after_three_tries(machine: Machine) -> None:
    for _ in range(3):
        machine.on()
        machine.expect("^HT-1: slot A$")
        machine.expect("Starting kernel")  # the try is on the disk before
        machine.off()
    machine.on()
    machine.expect("^HT-1: slot B$")
    machine.expect(READY.format("B"))


@pytest.mark.full
@pytest.mark.parametrize("break_it", [whose_daemon_ends, whose_start_hangs])
def test_a_genuine_image_that_does_not_come_up_gives_way_by_itself(
    break_it: Callable[[Path, Path], None], machine: Machine, tmp_path: Path
) -> None:
    fit = tmp_path / "broken.itb"
    fit.write_bytes(CURRENT.read_bytes())
    break_it(fit, tmp_path)
    machine.put("slot-a", fit.read_bytes())
    machine.on()
    for _ in range(3):
        machine.expect("^HT-1: slot A$")
        machine.expect("^HT-1: slot A did not come up$", 120)
    machine.expect(READY.format("B"))


@pytest.mark.parametrize("flaw", ["boot-script-on-data", *full("console-shell-open")])
def test_factory_data_that_are_not_the_fuses_open_nothing(flaw: str, machine: Machine) -> None:
    machine.edit_factory("unit.json", lambda text: text.replace(b'"flaws": []', f'"flaws": [\n  "{flaw}"\n ]'.encode()))
    machine.on()
    machine.expect("^HT-1: factory data is not this unit's$")
    machine.expect("^HT-1: thermostatd ended")
    machine.type("\rid -u\r")
    machine.listen(2)
    assert "ht1#" not in machine.console
    assert "\n0\n" not in machine.console
    assert "READY" not in machine.console


@pytest.mark.full
def test_a_data_partition_that_cannot_be_mounted_is_left_alone(machine: Machine) -> None:
    machine.put("data", b"\0" * 1080 + b"\x53\xef" + b"canary of an owner" * 1000)  # of an ext4 only its magic number
    before = machine.bytes_of("data")
    machine.on()
    machine.expect("^HT-1: data cannot be mounted$")
    machine.expect("^HT-1: thermostatd ended")
    machine.off()
    assert machine.bytes_of("data") == before


def torn_size(machine: Machine) -> None:
    machine.flip("data", 1024 + 4)


def zeroed_whole(machine: Machine) -> None:
    machine.put("data", b"\0" * 4096 + machine.bytes_of("data")[4096:])  # and what stands beside it: the descriptors


@pytest.mark.parametrize("damage", [torn_size, *full(zeroed_whole)])
def test_a_spoilt_superblock_of_the_data_is_repaired_and_nothing_is_lost(damage: Callable[[Machine], None], machine: Machine) -> None:
    machine.on()
    machine.expect(READY.format("A"))
    set_up(machine)
    machine.off()
    damage(machine)
    machine.on()
    machine.expect("^HT-1: data repaired$")
    machine.expect(READY.format("A"))
    log_in(machine)


@pytest.mark.full
def test_one_that_came_up_has_its_tries_again(machine: Machine) -> None:
    for _ in range(4):
        machine.on()
        machine.expect(READY.format("A"))
        machine.off()


@pytest.mark.parametrize("torn", [(0, 1 << 20), *full((0,), (1 << 20,))])
def test_a_torn_boot_state_is_survived_and_repaired(torn: tuple[int, ...], machine: Machine) -> None:
    for place in torn:
        machine.flip("boot-state", place + 100)
    machine.on()
    machine.expect(READY.format("A"))
    assert machine.console.count("bad CRC") == len(torn)
    machine.off()
    machine.on()
    machine.expect("^HT-1: slot A$")
    assert "bad CRC" not in machine.console


def test_nobody_gets_the_boot_loaders_prompt(machine: Machine) -> None:
    machine.flip("slot-a", 0)
    machine.flip("slot-b", 0)
    machine.put("recovery", b"")
    machine.on()
    for _ in range(30):  # from the first moment on, through every refusal, and in the loop at the end
        machine.type("\x03\x03 \r")
        machine.listen(0.2)
    assert "U-Boot" in machine.console
    assert "=>" not in machine.console
    assert "READY" not in machine.console
