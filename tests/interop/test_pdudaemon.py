# SPDX-License-Identifier: Apache-2.0
"""A PDU behind the real pdudaemon, whose localcmdline driver switches files; and daemons of older versions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from http_devices import Answer, Device, Request
from loopback_ports import free_port
from network_power import Bench, until


def heard_by(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    folder = tmp_path_factory.mktemp("pdudaemon")
    port = free_port()
    pdus = {
        "pdu-a": {"driver": "localcmdline", "cmd_on": f"touch {folder}/%s", "cmd_off": f"rm -f {folder}/%s"},
        "pdu-idle": {"driver": "localcmdline"},  # has no commands: accepts all and does nothing
    }
    (folder / "conf.json").write_text(json.dumps({"daemon": {"hostname": "127.0.0.1", "port": port, "listener": "http"}, "pdus": pdus}))
    process = subprocess.Popen(["/usr/sbin/pdudaemon", "--conf", "conf.json", "--logfile", "log"], cwd=folder)
    assert until(lambda: heard_by(port), 20), (folder / "log").read_text()
    yield port, folder
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pdudaemon_bench(port: int, folder: Path, pdu: str = "pdu-a", verify: str = "{}") -> Bench:
    return Bench(folder, f"{{ driver: pdudaemon, host: 127.0.0.1, port: {port}, pdu: {pdu} }}", channel="3", verify=verify)


def test_switches_a_port_of_the_real_daemon(daemon: tuple[int, Path], tmp_path: Path) -> None:
    port, outlets = daemon
    with pdudaemon_bench(port, tmp_path) as bench:
        with bench.held_on():
            assert (outlets / "3").exists()
            assert not (outlets / "1").exists()
        assert not (outlets / "3").exists(), "left powered"


def test_its_success_is_no_verification(daemon: tuple[int, Path], tmp_path: Path) -> None:
    """The daemon says the same of a PDU that switches and of one that does nothing: neither is verified."""
    for pdu in ("pdu-a", "pdu-idle"):
        folder = tmp_path / pdu
        folder.mkdir()
        with pdudaemon_bench(daemon[0], folder, pdu) as bench:
            assert bench.power("off").stdout == "off\n"
            assert bench.power("status").stdout == "unknown\n"


def test_a_pdu_that_the_daemon_does_not_know_is_named(daemon: tuple[int, Path], tmp_path: Path) -> None:
    with pdudaemon_bench(daemon[0], tmp_path, "pdu-z") as bench:
        done = bench.power("off")
        assert done.returncode == 3
        assert "PDU 'pdu-z'" in done.stderr
        assert "status 500" in done.stderr


class OldDaemon(Device):
    """The versions with a queue: they wait five seconds unless `delay` is there, answer at once, and refuse with 503."""

    def __init__(self) -> None:
        super().__init__(relays=8)
        self.queue: list[tuple[int, bool, int]] = []

    def answer(self, request: Request) -> Answer:
        action = request.path.removeprefix("/power/control/")
        if action not in ("on", "off") or request.query.get("hostname") != "pdu-a":
            return Answer(503, "Invalid request\n")
        self.queue.append((int(request.query["port"]), action == "on", int(request.query.get("delay") or 5)))
        return Answer(200, "OK - accepted request\n")


def test_daemons_with_a_queue_are_asked_to_switch_at_once(tmp_path: Path) -> None:
    with OldDaemon() as old, pdudaemon_bench(old.port, tmp_path) as bench:
        with bench.held_on():
            pass
        assert old.queue[-2:] == [(3, True, 0), (3, False, 0)]
        (tmp_path / "bench.yaml").write_text((tmp_path / "bench.yaml").read_text().replace("pdu-a", "pdu-z"))
        assert "status 503" in bench.power("off").stderr
