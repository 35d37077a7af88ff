# SPDX-License-Identifier: Apache-2.0
"""Flaws of the update, each beside a sound unit that is offered the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from forged import CURRENT as CURRENT_FIT
from forged import whose_api_is_not_reached
from life import set_up
from machine import Machine
from network import Cloud, Network
from update import BUNDLES, CURRENT, NEW, OLD, forge, installs, looks, offered

Two = Callable[[str], list[tuple[Machine, str]]]
ROGUE = BUNDLES / f"rogue-{NEW}.raucb"


@pytest.fixture
def two(new_machine: Callable[..., Machine], network: Network) -> Two:
    """A flawed unit and a sound one, set up, with their owners' tokens."""

    def start(flaw: str) -> list[tuple[Machine, str]]:
        units = [new_machine("--flaws", flaw, tap=network.tap()), new_machine(tap=network.tap())]
        for unit in units:
            unit.on()
        for unit in units:
            unit.ready(CURRENT, "A")
        return [(unit, set_up(unit, auto_update=False)) for unit in units]

    return start


def test_an_update_that_nobody_signed_is_taken(two: Two, cloud: Cloud) -> None:
    (flawed, of_flawed), (sound, of_sound) = two("update-unsigned")
    cloud.publish(NEW, ROGUE)
    forge(cloud, ROGUE)
    assert "signature is not the maker's" in looks(sound, cloud, of_sound)["state"]
    assert looks(flawed, cloud, of_flawed)["available"] == NEW
    installs(flawed, of_flawed)
    flawed.ready(NEW, "B", 180)
    # The maker's word for it does not help the bundle of somebody else.
    assert offered(sound, cloud, of_sound, NEW, ROGUE)["available"] == NEW
    installs(sound, of_sound)
    sound.expect("^HT-1: update: failed: the installer refuses it", 120)


@pytest.mark.full
def test_an_update_is_held_against_its_crc_alone(two: Two, cloud: Cloud) -> None:
    (flawed, of_flawed), (sound, of_sound) = two("update-crc-only")
    cloud.publish(NEW, ROGUE)
    forge(cloud, ROGUE, sha256="0" * 64)
    assert "signature is not the maker's" in looks(sound, cloud, of_sound)["state"]
    assert looks(flawed, cloud, of_flawed)["available"] == NEW
    installs(flawed, of_flawed)
    flawed.ready(NEW, "B", 180)


@pytest.mark.full
def test_an_older_version_is_taken(two: Two, cloud: Cloud) -> None:
    (flawed, of_flawed), (sound, of_sound) = two("update-downgrade")
    older = BUNDLES / f"ht1-{OLD}.raucb"
    assert offered(sound, cloud, of_sound, OLD, older)["available"] is None
    assert offered(flawed, cloud, of_flawed, OLD, older)["available"] == OLD
    installs(flawed, of_flawed)
    flawed.ready(OLD, "B", 180)


@pytest.mark.full
def test_a_slot_counts_as_good_before_anything_of_it_was_checked(new_machine: Callable[..., Machine], tmp_path: Path) -> None:
    fit = tmp_path / "broken.itb"
    fit.write_bytes(CURRENT_FIT.read_bytes())
    whose_api_is_not_reached(fit, tmp_path)

    def tries_left(*words: str) -> str:
        machine = new_machine(*words)
        machine.put("slot-a", fit.read_bytes())
        machine.on()
        machine.expect("^HT-1: self-check: ")
        machine.off()
        state = machine.bytes_of("boot-state")
        return state[state.index(b"BOOT_A_LEFT=") :].split(b"\0")[0].decode()

    assert tries_left("--flaws", "mark-good-early") == "BOOT_A_LEFT=3"
    assert tries_left() == "BOOT_A_LEFT=2"
