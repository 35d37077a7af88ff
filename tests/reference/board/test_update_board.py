# SPDX-License-Identifier: Apache-2.0
"""Updates over a network of the bench: signed ones go into the other slot and stay if they work; everything else is refused."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from life import log_in, set_up
from machine import IMAGE, Machine
from network import Cloud, Network

OLD, CURRENT, NEW = "1.0.0", "1.1.0", "1.2.0"
BUNDLES = IMAGE / "bundles"


@pytest.fixture
def unit(new_machine: Callable[..., Machine], network: Network) -> Machine:
    machine = new_machine(tap=network.tap())
    machine.on()
    machine.ready(CURRENT, "A")
    return machine


def bundle(scratch: Path, version: str, content: bytes) -> Path:
    """Signed by the maker, whatever is in it."""
    folder, made = scratch / f"content-{version}", scratch / f"{version}.raucb"
    folder.mkdir()
    (folder / "system.img").write_bytes(content)
    (folder / "manifest.raucm").write_text(f"[update]\ncompatible=HT-1\nversion={version}\n\n[image.system]\nfilename=system.img\n")
    keys = IMAGE / "keys"
    words = ["rauc", "bundle", f"--cert={keys / 'bundle.crt'}", f"--key={keys / 'bundle.key'}", f"--keyring={keys / 'bundle.crt'}", folder, made]
    subprocess.run(words, check=True, timeout=120, capture_output=True)
    return made


def by_hand(machine: Machine) -> str:
    return set_up(machine, auto_update=False)


def offered(machine: Machine, cloud: Cloud, token: str, version: str, file: Path, *words: str) -> dict[str, Any]:
    """Publishes it and has the unit look."""
    cloud.publish(version, file, *words)
    before = len(cloud.received("https", path="/v1/update/HT-1.json"))
    assert machine.ask("POST", "/api/update/check", token=token)[0] in (200, 202, 204)
    while len(cloud.received("https", path="/v1/update/HT-1.json")) == before:
        machine.listen(0.2)
    for _ in range(50):
        status = machine.ask("GET", "/api/update", token=token)[1]
        if status["available"] == version or status["state"] != "idle":
            break
        machine.listen(0.1)
    return status


def test_an_update_is_taken_by_itself_and_there_is_no_way_back(unit: Machine, cloud: Cloud, tmp_path: Path) -> None:
    cloud.publish(NEW, BUNDLES / f"ht1-{NEW}.raucb", "--min-version", NEW, "--security")
    set_up(unit)
    unit.expect("^HT-1: update: downloading$", 60)
    unit.expect("^HT-1: update: reboot$", 120)
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
