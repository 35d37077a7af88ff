# SPDX-License-Identifier: Apache-2.0
"""The power goes during an update or a reset, at a chosen write of the disk, whose unflushed sectors are lost, kept or torn.

A few cuts each time; all of them with ./dev test --all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dump import left_of, owners_files
from life import PASSWORD, log_in, run, set_up, unlock
from machine import Machine, make_unit
from network import Cloud, Network
from update import BUNDLES, CURRENT, NEW

CUTS = 50 if "HILCOP_TEST_ALL" in os.environ else 2
LOSSES = ("torn", "drop", "subset", "prefix")
USER = {"name": "Ada Canary", "email": "ada@canary.example", "device_name": "hall"}
SEALED = ("sealed/.salt", "sealed/password", "sealed/user", "sealed/wifi")


@dataclass
class Owned:
    """A unit that was set up and switched off, to start from again and again."""

    folder: Path
    files: dict[str, bytes]

    def again(self, scratch: Path, tap: str) -> Machine:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        for file in self.folder.iterdir():
            if file.is_file():
                subprocess.run(["cp", "--sparse=always", file, scratch], check=True, timeout=60)
        return Machine(scratch, tap, power_loss=True)


@pytest.fixture(scope="module")
def tap(network: Network) -> str:
    return network.tap()


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory, tap: str, cloud: Cloud) -> Owned:
    cloud.publish(NEW, BUNDLES / f"ht1-{NEW}.raucb")
    folder = tmp_path_factory.mktemp("owned")
    make_unit(folder / "unit")
    machine = Machine(folder / "unit", tap)
    machine.on()
    machine.ready(CURRENT, "A")
    token = set_up(machine, auto_update=False)
    assert machine.ask("PUT", "/api/user", USER, token)[0] == 200
    end = time.monotonic() + 60
    while machine.ask("GET", "/api/state", token=token)[1]["cloud"] != "up":  # all that comes with a set-up is over
        assert time.monotonic() < end, "it does not get to its cloud"
        machine.listen(0.1)
    machine.close()
    return Owned(folder / "unit", {name: content for name, content in owners_files(machine, folder).items() if name in SEALED})


def is_whole(machine: Machine) -> str:
    """The token of an owner who finds all that was theirs."""
    token = log_in(machine)
    assert machine.ask("GET", "/api/user", token=token)[1] == USER
    return token


def begin_update(machine: Machine) -> None:
    token = log_in(machine)
    assert machine.ask("POST", "/api/update/check", token=token)[0] == 202
    end = time.monotonic() + 60
    while machine.ask("GET", "/api/update", token=token)[1]["available"] != NEW:
        assert time.monotonic() < end, "the update is not seen"
        machine.listen(0.1)
    assert machine.ask("POST", "/api/update/install", token=token)[0] == 202


def begin_reset(machine: Machine) -> None:
    assert machine.ask("POST", "/api/erase", {"password": PASSWORD}, log_in(machine))[0] == 202


def writes_until(machine: Machine, begin: Callable[[Machine], None], last_line: str) -> int:
    assert machine.disk
    before = machine.disk.ask(op="stat")["writes"]
    begin(machine)
    machine.expect(last_line, 180)
    return machine.disk.ask(op="stat")["writes"] - before


def cut_points(writes: int) -> Iterator[int]:
    """Spread over all of it, and half of them at the end, where what was written begins to count."""
    early = CUTS // 2
    for number in range(early):
        yield max(1, writes * (2 * number + 1) // (2 * early))
    for number in range(CUTS - early):
        yield max(1, writes - 2 * number)


def cut_at(machine: Machine, write: int, begin: Callable[[Machine], None], last_line: str, number: int) -> None:
    """Power off inside that write; where it does not come, when all is over."""
    machine.on()
    machine.ready()
    assert machine.disk
    machine.disk.ask(op="arm", count=write, loss=LOSSES[number % len(LOSSES)], seed=number)
    try:
        begin(machine)
    except (OSError, AssertionError):
        assert machine.disk.fired(), "nothing but the cut may end a call"
    end = time.monotonic() + 200
    while not machine.disk.fired() and last_line not in machine.console:
        assert time.monotonic() < end, f"neither the cut nor '{last_line}' came; the console said\n{machine.console}"
        machine.listen(0.05)
    machine.off(LOSSES[number % len(LOSSES)], number)


def cut_units(owned: Owned, tap: str, unit: Path, begin: Callable[[Machine], None], last_line: str) -> Iterator[tuple[str, int, Machine]]:
    """The same unit again and again, off after a cut at each of the chosen writes; an uncut one says how many writes there are."""
    machine = owned.again(unit, tap)
    machine.on()
    machine.ready()
    writes = writes_until(machine, begin, f"^{last_line}$")
    machine.close()
    for number, write in enumerate(cut_points(writes)):
        machine = owned.again(unit, tap)
        try:
            cut_at(machine, write, begin, last_line, number)
            yield f"cut {number} at write {write} of {writes}", number, machine
        finally:
            machine.close()


def test_an_update_that_is_cut_leaves_a_unit_that_works(owned: Owned, tap: str, tmp_path: Path) -> None:
    slots = []
    for cut, number, machine in cut_units(owned, tap, tmp_path / "unit", begin_update, "HT-1: update: reboot"):
        machine.on()
        found = machine.expect(r"^HT-1: READY version (\S+) slot ([AB])$", 120)
        assert (found[1], found[2]) in {(CURRENT, "A"), (NEW, "B")}, cut
        slots.append(found[2])
        machine.seen = 0
        machine.ready()
        is_whole(machine)
        if found[2] == "A" and number % 5 == 0:  # and the update can still be had
            begin_update(machine)
            machine.expect("^HT-1: update: reboot$", 180)
            machine.ready(NEW, "B")
            is_whole(machine)
    assert len(slots) == CUTS
    assert "A" in slots


@pytest.mark.full
def test_a_bundle_that_the_installer_had_taken_hinders_nothing(owned: Owned, tap: str, tmp_path: Path) -> None:
    """RAUC makes a bundle root's own; when the power goes then, it lies in the daemon's way."""
    machine = owned.again(tmp_path / "unit", tap)
    try:
        machine.on()
        machine.ready()
        unlock(machine)
        begin_update(machine)
        run(machine, "until [ -n \"$(find /data/app/download -user root -name '*.raucb')\" ]; do :; done; sync", 120)
        machine.off()
        machine.on()
        machine.ready()
        is_whole(machine)
        begin_update(machine)
        machine.expect("^HT-1: update: reboot$", 180)
        machine.ready(NEW, "B")
        begin_reset(machine)
        machine.expect("^HT-1: factory reset done$")
        machine.ready(NEW, "B")
    finally:
        machine.close()


@pytest.mark.full
def test_a_disk_that_ignores_flushes_loses_what_was_acknowledged(new_machine: Callable[..., Machine]) -> None:
    def is_still_set_up(*words: str) -> bool:
        machine = new_machine(*words, power_loss=True)
        machine.on()
        machine.ready()
        set_up(machine)
        machine.off()
        machine.on()
        machine.ready()
        return machine.ask("GET", "/api/info")[1]["setup"] == "done"

    assert not is_still_set_up("--flaws", "disk-ignores-flush")
    assert is_still_set_up()


def test_a_reset_that_is_cut_is_whole_or_not_begun(owned: Owned, tap: str, tmp_path: Path) -> None:
    machine = owned.again(tmp_path / "unit", tap)
    assert left_of(machine, owned.files) == [*owned.files], "the search finds what is there"
    machine.close()
    ends = []
    for cut, _, machine in cut_units(owned, tap, tmp_path / "unit", begin_reset, "HT-1: factory reset done"):
        machine.on()
        machine.ready()
        ends.append(machine.ask("GET", "/api/info")[1]["setup"])
        if ends[-1] == "done":
            is_whole(machine)
        else:
            machine.off()
            assert left_of(machine, owned.files) == [], cut
    assert len(ends) == CUTS
    assert "open" in ends
