# SPDX-License-Identifier: Apache-2.0
"""A virtual board is calibrated by its own clock and by its console, and tested; runs tell of it and rest on it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

SCENARIO = """
from hilcop import scenario
@scenario("X98-TIMED", title="needs timing", clauses=[], roles=["power"], timeout_s=60)
def timed(dut, run):
    for name, needed in (("coarse", 5.0), ("fine", 1e-9)):
        check = run.check(name, expected="-", needs_timing_s=needed)
        check.control("shown", ok=True)
        check.judge(True, observed="-")
"""


class Bench:
    """The virtual bench with a state of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "runtime"), "HILCOP_STATE_DIR": str(folder / "state")}
        (folder / "timed.py").write_text(SCENARIO)

    def hilcop(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words, "-b", str(SOURCE / "lab-config/virtual.yaml")],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def calibrate(self, *words: str) -> dict[str, Any]:
        # A busy host starves the emulated board, and hilcop then gives no figure: it is asked again.
        for _ in range(3):
            done = self.hilcop("calibrate", "microbit", "--switchings", "3", "--json", *words)
            if "switchings count for nothing" not in done.stderr:
                break
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def run(self, out: str) -> dict[str, Any]:
        done = self.hilcop("run", "X98-TIMED", "--dut", "microbit", "--scenarios", "timed.py", "--out", out)
        assert done.returncode == 3, done.stdout + done.stderr
        record: dict[str, Any] = json.loads((self.folder / out / "run.json").read_text())
        return record


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def verdicts(record: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in record["scenarios"][0]["checks"]}


def test_timing_that_nobody_measured_is_not_known(bench: Bench) -> None:
    record = bench.run("before")
    assert verdicts(record) == {"coarse": "Inconclusive", "fine": "Inconclusive"}
    assert "hilcop calibrate microbit" in record["scenarios"][0]["checks"][0]["reason"]
    assert record["benches"][0]["duts"]["microbit"]["power_timing"] is None


def test_a_board_is_calibrated_by_its_console(bench: Bench) -> None:
    found = bench.calibrate("--effect", "console")
    assert found["effect"] == "console main"
    assert found["on"]["count"] >= 2
    assert found["off"]["count"] >= 2
    assert abs(found["off"]["median_s"]) < 0.15
    assert found["switch_count"] >= 6


def test_a_board_is_calibrated_by_its_own_clock_and_a_check_rests_on_it(bench: Bench) -> None:
    found = bench.calibrate()
    assert found["effect"] == "clock of the virtual board"
    assert found["off"]["count"] == 3
    record = bench.run("after")
    assert verdicts(record) == {"coarse": "Pass", "fine": "Inconclusive"}
    fine = record["scenarios"][0]["checks"][1]
    assert "needs power off to be timed within" in fine["reason"]
    opened = record["benches"][0]["duts"]["microbit"]
    assert opened["power_timing"]["off"]["count"] == 3
    assert opened["selftest"]["state"] == "none"
    assert "clock of the virtual board" in (bench.folder / "after" / "report.html").read_text()
    assert "known within" in bench.hilcop("list").stdout


def test_a_virtual_board_passes_its_selftest(bench: Bench) -> None:
    done = bench.hilcop("selftest", "--dut", "microbit", "--min-free-mib", "1", "--out", "selftest", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((bench.folder / "selftest" / "selftest.json").read_text())
    seen = {entry["item"]: entry for entry in record["items"] if entry["dut"] == "microbit"}
    assert seen["answers"]["text"] == "its interpreter answers"
    assert seen["power"]["grade"] == "pass"
    assert seen["capture"]["grade"] == "pass"
    assert (bench.folder / "selftest" / "console" / "microbit-main.raw").stat().st_size > 0
