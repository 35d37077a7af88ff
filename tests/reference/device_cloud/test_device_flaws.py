# SPDX-License-Identifier: Apache-2.0
"""What a flawed unit does when it is called, cut off or asked too much, beside a sound one."""

from __future__ import annotations

import http.client
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from conftest import NewDevice, NewUnit
from ht1 import NOBODY, Device
from peers import Peer
from running import until

BROKEN_OFF = (OSError, http.client.HTTPException)
USER = {"name": "Ada", "email": "ada@example.org", "device_name": "hall"}


def gaps(peer: Peer) -> list[float]:
    return [later - sooner for sooner, later in zip(peer.calls, peer.calls[1:], strict=False)]


def test_only_a_flawed_unit_calls_again_at_once_for_ever(new_unit: NewUnit, new_device: NewDevice) -> None:
    """At a broker, and at a server for registration, that hang up on everybody."""
    sound, flawed = (Peer(), Peer()), (Peer(), Peer())
    for (https, mqtt), flaws in ((sound, ()), (flawed, ("no-backoff",))):
        new_device(new_unit(*flaws).owned(), cloud=https.port, updates=NOBODY)
        new_device(new_unit(*flaws).owned("canary-token"), mqtt=mqtt.port)
    try:
        for peer in sound:
            assert until(lambda peer=peer: len(peer.calls) >= 4)
            waits = gaps(peer)[:3]
            # 1, 2, 4 s, each less up to a half by chance; a busy host makes them longer, never shorter.
            assert all(wait > least for wait, least in zip(waits, (0.4, 0.9, 1.9), strict=True)), waits
        for peer in flawed:
            # In the time in which the sound ones called four times.
            assert len(peer.calls) > 10
            assert sorted(gaps(peer))[len(gaps(peer)) // 2] < 0.5
    finally:
        for peer in (*sound, *flawed):
            peer.close()


def test_only_a_flawed_unit_dies_of_a_long_text(new_unit: NewUnit, new_device: NewDevice) -> None:
    sound, flawed = new_device(new_unit()), new_device(new_unit("crash-on-long-json"))
    long = {"password": "x" * 60_000}
    assert sound.ask("POST", "/api/login", long)[0] == 400
    assert sound.ask("GET", "/api/info")[0] == 200
    assert sound.process.poll() is None

    assert flawed.ask("GET", "/api/info")[0] == 200
    with pytest.raises(BROKEN_OFF):
        flawed.ask("POST", "/api/login", long)
    died = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
    assert flawed.process.wait(30) in [status for number in died for status in (-number, 128 + number)]


def daemon_of(device: Device) -> int:
    [child] = Path(f"/proc/{device.process.pid}/task/{device.process.pid}/children").read_text().split()
    return int(child)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_only_a_flawed_unit_hangs_at_a_long_name(new_unit: NewUnit, new_device: NewDevice) -> None:
    def started(*flaws: str) -> tuple[Device, Path]:
        unit = new_unit(*flaws).owned()
        watchdog = unit.folder / "watchdog"
        watchdog.touch()
        return new_device(unit, "--watchdog", watchdog), watchdog

    (sound, fed), (flawed, unfed) = started(), started("hang-on-long-name")
    long = {**USER, "device_name": "x" * 100}
    owner = sound.login()
    assert sound.ask("PUT", "/api/user", long, owner)[0] == 400
    assert sound.ask("PUT", "/api/user", USER, owner)[0] == 200
    seen = fed.stat().st_size
    assert until(lambda: fed.stat().st_size > seen), "after that call, too, it shows that it is alive"

    owner = flawed.login()
    assert flawed.ask("PUT", "/api/user", USER, owner)[0] == 200
    pid = daemon_of(flawed)
    before = cpu_s(pid)
    with pytest.raises(BROKEN_OFF):
        flawed.ask("PUT", "/api/user", long, owner, limit_s=1)
    with pytest.raises(BROKEN_OFF):
        flawed.ask("GET", "/api/info", limit_s=1)  # nor is anybody else answered
    assert until(lambda: cpu_s(pid) > before + 1.5), "it waits, which is not hanging"
    assert flawed.process.poll() is None
    assert unfed.stat().st_size == 0, "no watchdog was started, and none will end this"


def synced(trace: Path, record: str) -> dict[str, Any]:
    """What was pushed to the medium before a record got its name, and its folder after that."""
    before, renamed, after = trace.read_text().partition(f'{record}.new", ')
    return {
        "renamed": bool(renamed),
        "content": re.search(rf"f(data)?sync\(\d+<[^>]*/{record}\.new>", before) is not None,
        "folder": re.search(r"fsync\(\d+<[^>]*/sealed>", after) is not None,
    }


def test_only_a_flawed_unit_answers_before_user_data_are_on_the_medium(new_unit: NewUnit, new_device: NewDevice) -> None:
    def traced(*flaws: str) -> dict[str, Any]:
        unit = new_unit(*flaws).owned()
        trace = unit.folder / "trace"
        under = (
            "strace",
            "-f",
            "-y",
            "-qq",
            "-s",
            "400",
            "-o",
            str(trace),
            "-e",
            "trace=fsync,fdatasync,rename,renameat,renameat2,sync,syncfs",
        )
        device = new_device(unit, under=under)
        owner = device.login()
        assert device.ask("PUT", "/api/user", USER, owner)[0] == 200
        # The answer is here: what was not synced by now can be lost although it was acknowledged.
        return synced(trace, "user")

    assert traced() == {"renamed": True, "content": True, "folder": True}
    assert traced("no-fsync") == {"renamed": True, "content": False, "folder": False}
