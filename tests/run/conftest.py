# SPDX-License-Identifier: Apache-2.0
"""A relay board in a process of its own, that keeps its state when everybody else dies, and a bench that is wired to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
BUILD = Path(os.environ["HILCOP_BUILD_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

BENCH = """
bench: relays
instruments:
  relay: {{ driver: modbus-relay, host: 127.0.0.1, port: {port} }}
duts:
  a: {{ board: plain.yaml, power: {{ instrument: relay, channel: '1' }} }}
  b: {{ board: plain.yaml, power: {{ instrument: relay, channel: '2' }} }}
"""

HOLD = """
import subprocess, time
from pathlib import Path
from hilcop import scenario
@scenario("X99-HOLD", title="holds power until told", clauses=[], roles=[], timeout_s=60)
def hold(dut, run):
    check = run.check("c", expected="told to end")
    dut.power.on()
    check.control("powered", ok=dut.power.state() is True)
    if Path("leave-a-child").exists():
        subprocess.Popen(["sleep", "30"], close_fds=False, start_new_session=True)
    run.log("powered")
    while not Path(f"end-{dut.name}").exists():
        time.sleep(0.01)
    if not Path("leave-it-on").exists():
        dut.power.off()
    check.judge(True, observed="told")
"""


def until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Rig:
    """The relay board, its bench, and programs that use it. Everything is in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "HILCOP_RUNTIME_DIR": str(folder / "runtime"),
            "HILCOP_STATE_DIR": str(folder / "state"),
            "HILCOP_HOME": str(SOURCE),
        }
        self.processes: list[subprocess.Popen[str]] = []
        self.start_board()
        (folder / "plain.yaml").write_text("board: plain\n")
        (folder / "bench.yaml").write_text(BENCH.format(port=(folder / "port").read_text().strip()))
        (folder / "hold.py").write_text(HOLD)

    def start_board(self) -> None:
        (self.folder / "coils").unlink(missing_ok=True)
        self.board = subprocess.Popen([str(BUILD / "tests/fixtures/relay-board"), str(self.folder), "120"], start_new_session=True)
        assert until(lambda: (self.folder / "coils").exists() and (self.folder / "port").exists(), 20)

    def coils(self) -> str:
        return (self.folder / "coils").read_text().strip()

    def switchings(self) -> list[str]:
        log = self.folder / "log"
        return [line.split(" ", 1)[1] for line in log.read_text().splitlines()] if log.exists() else []

    def moment_of(self, switching: str) -> float:
        """When the relay board switched so, by the clock of time.monotonic()."""
        return next(int(line.split()[0]) / 1e9 for line in (self.folder / "log").read_text().splitlines() if line.endswith(f" {switching}"))

    def becomes(self, coils: str, seconds: float) -> bool:
        return until(lambda: self.coils() == coils, seconds)

    def restore_failed(self) -> bool:
        """The keeper tried to bring relay 1 to its safe state, could not, and holds it against nobody."""
        held = json.loads(self.hilcop("list", "-b", "bench.yaml", "--json").stdout)["held"]
        return any(entry["channel"] == "1" and entry["away_from_safe_state"] and "held_by" not in entry for entry in held)

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def hilcop(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=40, check=False
        )

    def run(self, dut: str, bench: str = "bench.yaml", name: str = "run") -> subprocess.Popen[str]:
        return self.start(PROGRAM, "run", "X99-HOLD", "-b", bench, "--dut", dut, "--scenarios", "hold.py", "--out", f"{name}-{dut}")

    def powered(self, dut: str, name: str = "run") -> bool:
        log = self.folder / f"{name}-{dut}" / "timeline" / f"worker-{dut}.ndjson"
        return until(lambda: log.exists() and '"powered"' in log.read_text(), 20)

    def worker_pid(self, dut: str) -> int:
        lines = (self.folder / f"run-{dut}" / "timeline" / "supervisor.ndjson").read_text().splitlines()
        return int(next(json.loads(line)["data"]["pid"] for line in lines if '"worker.start"' in line))

    def keeper_pid(self) -> int:
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_keeper(entry)]
        assert len(found) == 1, found
        return found[0]

    def _is_keeper(self, entry: Path) -> bool:
        try:
            own = f"HILCOP_RUNTIME_DIR={self.folder / 'runtime'}".encode()
            return b"keeper" in (entry / "cmdline").read_bytes().split(b"\0") and own in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        self.board.kill()
        self.board.wait()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and self._is_keeper(entry):
                os.kill(int(entry.name), signal.SIGTERM)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()
