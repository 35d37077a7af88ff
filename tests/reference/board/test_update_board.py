# SPDX-License-Identifier: Apache-2.0
"""Updates over a network of the bench: signed ones go into the other slot and stay if they work; everything else is refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from life import log_in, set_up
from machine import IMAGE, Machine, make_unit
from network import Cloud, Network
from update import BUNDLES, CURRENT, NEW, OLD, bundle, installs, offered


@pytest.fixture
def unit(new_machine: Callable[..., Machine], network: Network) -> Machine:
    machine = new_machine(tap=network.tap())
    machine.on()
    machine.ready(CURRENT, "A")
    return machine


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[tuple[Machine, str]]:
    """One unit for what must change nothing, with its owner's token; updates only when asked for."""
    folder = tmp_path_factory.mktemp("owned") / "unit"
    make_unit(folder)
    machine = Machine(folder, network.tap())
    machine.on()
    machine.ready(CURRENT, "A")
    yield machine, set_up(machine, auto_update=False)
    machine.close()


def test_an_update_is_taken_by_itself_and_there_is_no_way_back(unit: Machine, cloud: Cloud) -> None:
    cloud.publish(NEW, BUNDLES / f"ht1-{NEW}.raucb", "--min-version", NEW, "--security")
    cloud.fault("bundles=truncated")  # half of what is asked for, then the connection is gone
    set_up(unit)
    unit.expect("^HT-1: update: downloading$", 60)
    end = time.monotonic() + 120
    while not (resumed := [call for call in cloud.received("https") if "range" in call["headers"]]):
        assert time.monotonic() < end, f"it does not go on; the console said\n{unit.console}"
        unit.listen(0.2)
    assert resumed[0]["headers"]["range"] != "bytes=0-"
    cloud.fault()
    unit.expect("^HT-1: update: reboot$", 180)
    unit.expect("^HT-1: slot B$")
    unit.ready(NEW, "B")
    token = log_in(unit)
    assert unit.ask("GET", "/api/state", token=token)[1]["version"] == NEW
    events = [entry["event"] for entry in unit.ask("GET", "/api/log", token=token)[1]]
    assert [event for event in events if event.startswith("update")] == ["update-available", "update-started", "update-installed"]
    # An older one, validly signed, is offered.
    status = offered(unit, cloud, token, OLD, BUNDLES / f"ht1-{OLD}.raucb")
    assert status["available"] is None
    unit.off()
    unit.on()
    unit.ready(NEW, "B")
    unit.off()
    slot = (IMAGE / f"ht1-{NEW}.itb").read_bytes()
    assert unit.bytes_of("slot-b")[: len(slot)] == slot
    assert b"MIN_VERSION=1.2.0" in unit.bytes_of("boot-state")


@pytest.mark.parametrize("bad", ["rogue", "flipped", "unsigned", "mixed"])
def test_a_bundle_that_is_not_the_makers_is_refused_whatever_the_metadata_say(bad: str, owned: tuple[Machine, str], cloud: Cloud) -> None:
    unit, token = owned
    status = offered(unit, cloud, token, NEW, BUNDLES / f"{bad}-{NEW}.raucb")
    assert status["available"] == NEW, status
    installs(unit, token)
    unit.expect("^HT-1: update: installing$", 120)
    unit.expect("^HT-1: update: failed: the installer refuses it", 60)
    assert unit.ask("GET", "/api/update", token=token)[1]["state"].startswith("failed: the installer refuses it")
    log = unit.ask("GET", "/api/log", token=token)[1]
    assert log[-1]["event"] == "update-failed", log


def test_after_all_that_was_refused_both_slots_are_what_they_were(owned: tuple[Machine, str]) -> None:
    unit, _ = owned
    unit.off()
    slot = (IMAGE / f"ht1-{CURRENT}.itb").read_bytes()
    for name in ("slot-a", "slot-b"):
        assert unit.bytes_of(name)[: len(slot)] == slot
    assert b"BOOT_ORDER=A B" in unit.bytes_of("boot-state")


@pytest.mark.full
def test_an_update_that_does_not_start_gives_way_to_what_was_there(unit: Machine, cloud: Cloud, tmp_path: Path) -> None:
    cloud.publish("1.3.0", bundle(tmp_path, "1.3.0", b"the maker signed this by mistake" * 1000))
    set_up(unit)
    unit.expect("^HT-1: update: reboot$", 120)
    unit.expect("^HT-1: slot B$")
    unit.expect("^HT-1: slot B refused$")
    unit.ready(CURRENT, "A")
    token = log_in(unit)
    status = offered(unit, cloud, token, "1.3.0", tmp_path / "1.3.0.raucb")
    assert status["available"] == "1.3.0"
    assert status["state"] == "idle", "it is not installed by itself a second time"


def test_the_recovery_takes_a_signed_image_and_no_other(new_machine: Callable[..., Machine], network: Network, cloud: Cloud) -> None:
    unit = new_machine(tap=network.tap())
    for slot in ("slot-a", "slot-b"):
        unit.put(slot, b"nothing that starts")
    cloud.publish(NEW, BUNDLES / f"rogue-{NEW}.raucb")
    unit.on()
    unit.expect("^HT-1: RECOVERY$")
    unit.expect("^HT-1: update: failed: the installer refuses it", 120)
    cloud.publish(NEW, BUNDLES / f"ht1-{NEW}.raucb")
    unit.expect("^HT-1: update: reboot$", 180)
    unit.ready(NEW)
