# SPDX-License-Identifier: Apache-2.0
"""`hilcop run --faults`: a scenario tried over a bad line; what it says never counts as a verdict on the device."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

TALK = """
from hilcop import scenario, powered
@scenario("X99-TALK", title="t", clauses=[], roles=[], timeout_s=120)
def talk(dut, run):
    check = run.check("answers", expected="hello")
    with powered(dut):
        boot = dut.boot_to()
        check.control("boots", ok=boot.complete)
        dut.console.login(timeout_s=20)
        for _ in range(20):
            said = dut.console.run("echo hello", timeout_s=20).output
        check.judge(said == "hello\\n", observed=said)
"""


def run(folder: Path, faults: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any], list[dict[str, Any]]]:
    (folder / "talk.py").write_text(TALK)
    environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "r"), "HILCOP_STATE_DIR": str(folder / "s"), "HILCOP_HOME": str(SOURCE)}
    words = [PROGRAM, "run", "X99-TALK", "-b", "virtual", "--dut", "board1", "--scenarios", "talk.py", "--out", "run", "--faults", faults]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False)
    record = json.loads((folder / "run/run.json").read_text())
    events = [json.loads(line) for line in (folder / "run/timeline/worker-board1.ndjson").read_text().splitlines()]
    return done, record, events


def test_a_line_that_stalls_is_survived_and_proves_nothing(tmp_path: Path) -> None:
    done, record, events = run(tmp_path, "stall_every=3000,stall_ms=50,seed=4")
    check = record["scenarios"][0]["checks"][0]
    assert check["verdict"] == "Inconclusive", done.stdout
    assert check["said"] == "Pass", done.stdout
    assert done.returncode == 3
    assert "made faulty on purpose" in done.stdout
    assert record["faults"]["stall_every"] == 3000
    assert {event["data"]["fault"] for event in events if event["kind"] == "console.fault"} == {"stall"}


def test_a_line_that_loses_and_breaks_ends_in_no_verdict_on_the_device(tmp_path: Path) -> None:
    done, record, events = run(
        tmp_path, "drop_every=3000,duplicate_every=3000,corrupt_every=3000,disconnect_every=4000,direction=both,seed=4"
    )
    assert done.returncode == 3
    assert record["scenarios"][0]["verdict"] in ("Inconclusive", "Error"), done.stdout
    kinds = {event["data"]["fault"] for event in events if event["kind"] == "console.fault"}
    assert {"drop", "duplicate", "corrupt", "disconnect"} <= kinds
    gaps = [event["data"] for event in events if event["kind"] == "console.gap" and event["data"]["cause"] == "lost"]
    assert "opened again" in {gap["detail"] for gap in gaps}


def test_faults_that_are_none_are_refused_before_anything_is_switched(tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "run", "--faults", "drop=1"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "drop_every" in done.stderr
    assert not (tmp_path / "runs").exists()
