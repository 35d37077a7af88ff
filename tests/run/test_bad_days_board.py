# SPDX-License-Identifier: Apache-2.0
"""Whoever is killed while a board has power: within 2 s it has none, and the run directory says what was done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

HANGING = """
import time
from hilcop import scenario
@scenario("X99-HANG", title="t", clauses=[], roles=[], timeout_s={limit})
def hang(dut, run):
    run.check("c", expected="e")
    dut.power.on()
    dut.boot_to("boot-loader")
    run.log("powered")
    while True:
        try:
            time.sleep(60)
        except Exception:
            pass
"""


def machines(folder: Path) -> list[int]:
    """QEMU processes of this test's keeper."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if b"qemu-system" in (entry / "cmdline").read_bytes() and str(folder).encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def until(condition: object, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Run:
    def __init__(self, folder: Path, limit: float) -> None:
        self.folder = folder
        (folder / "hang.py").write_text(HANGING.format(limit=limit))
        self.environment = {
            **os.environ,
            "HILCOP_RUNTIME_DIR": str(folder / "runtime"),
            "HILCOP_STATE_DIR": str(folder / "state"),
            "HILCOP_HOME": str(SOURCE),
        }
        self.out = folder / "run"
        words = [PROGRAM, "run", "X99-HANG", "--bench", "virtual", "--scenarios", "hang.py", "--out", str(self.out)]
        self.process = subprocess.Popen(
            words, cwd=folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def wait_powered(self) -> None:
        log = self.out / "timeline" / "worker-board1.ndjson"
        assert until(lambda: log.exists() and '"powered"' in log.read_text(), 30), self.process.poll()
        assert machines(self.folder)

    def worker_pid(self) -> int:
        lines = (self.out / "timeline" / "supervisor.ndjson").read_text().splitlines()
        return next(json.loads(line)["data"]["pid"] for line in lines if '"worker.start"' in line)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    runs: list[Run] = []

    def begin(limit: float = 60) -> Run:
        runs.append(Run(tmp_path, limit))
        return runs[-1]

    yield begin
    for run in runs:
        run.process.kill()
        run.process.wait()


def test_a_killed_worker_leaves_no_power_and_an_error(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = start()
    run.wait_powered()
    os.kill(run.worker_pid(), signal.SIGKILL)
    assert until(lambda: not machines(tmp_path), 2)
    assert run.process.wait(30) == 3
    record = json.loads((run.out / "run.json").read_text())
    assert record["scenarios"][0]["verdict"] == "Error"
    assert "SIGKILL" in record["scenarios"][0]["error"]["cause"]


def test_a_killed_supervisor_leaves_no_power(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = start()
    run.wait_powered()
    run.process.kill()
    assert until(lambda: not machines(tmp_path), 2)
    assert until(lambda: (run.out / "console" / "board1-main.raw").stat().st_size > 0, 2)


def test_both_killed_at_once_leave_no_power_and_a_free_dut(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = start()
    run.wait_powered()
    os.kill(run.worker_pid(), signal.SIGKILL)
    run.process.kill()
    assert until(lambda: not machines(tmp_path), 2)
    status = subprocess.run(
        [PROGRAM, "power", "board1", "status", "-b", "virtual"],
        env=run.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert status.stdout == "off\n", status.stderr


def test_a_killed_keeper_is_an_error_and_leaves_no_power(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = start(limit=30)  # within it the machine must have its boot loader; the run then hangs until it
    run.wait_powered()
    keepers = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _is_keeper(p, tmp_path)]
    assert len(keepers) == 1
    os.kill(keepers[0], signal.SIGKILL)
    assert until(lambda: not machines(tmp_path), 2)
    assert run.process.wait(90) == 3


def _is_keeper(entry: Path, folder: Path) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
        return b"keeper" in words and str(folder).encode() in (entry / "environ").read_bytes()
    except OSError:
        return False


def test_a_scenario_over_its_time_is_an_error_and_the_board_is_off(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = start(limit=4)
    assert run.process.wait(40) == 3
    assert not machines(tmp_path)
    scenario = json.loads((run.out / "run.json").read_text())["scenarios"][0]
    assert scenario["verdict"] == "Error"
    assert "over its time" in scenario["error"]["cause"]
    assert scenario["checks"][0]["verdict"] == "Inconclusive"


def test_ctrl_c_ends_with_a_record_and_no_power(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = start()
    run.wait_powered()
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(30) == 3
    assert not machines(tmp_path)
    assert (run.out / "report.html").exists()
