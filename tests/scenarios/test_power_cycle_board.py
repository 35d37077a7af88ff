# SPDX-License-Identifier: Apache-2.0
"""G09-POWER-CYCLE on real boards: passes the sound one, fails every planted one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


def run(bench: Path, dut: str, out: Path, effort: str = "demo") -> tuple[int, dict[str, Any]]:
    environment = {
        **os.environ,
        "HILCOP_RUNTIME_DIR": str(out.parent / "runtime"),
        "HILCOP_STATE_DIR": str(out.parent / "state"),
        "HILCOP_HOME": str(SOURCE),
    }
    words = [PROGRAM, "run", "G09-POWER-CYCLE", "--bench", str(bench), "--dut", dut, "--effort", effort, "--seed", "3", "--out", str(out)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (out / "run.json").exists(), done.stdout + done.stderr
    return done.returncode, json.loads((out / "run.json").read_text())


def test_the_sound_board_passes(tmp_path: Path) -> None:
    status, record = run(SOURCE / "lab-config" / "virtual.yaml", "board1", tmp_path / "run", effort="test")
    assert status == 0, record["scenarios"]
    checks = {check["name"]: check for check in record["scenarios"][0]["checks"]}
    assert {name: check["verdict"] for name, check in checks.items()} == {"recovers": "Pass", "keeps": "Pass"}
    assert all(control["ok"] for check in checks.values() for control in check["controls"])
    assert any(disk["lost_sectors"] for edge in record["power_edges"] for disk in edge["details"].get("disks", []))
    for name in ("report.html", "junit.xml", "manifest.json", "console/board1-main.raw"):
        assert (tmp_path / "run" / name).stat().st_size > 0


@pytest.mark.parametrize(("dut", "check"), [("no-fsync", "keeps"), ("no-flush", "keeps"), ("no-return", "recovers")])
def test_a_planted_board_fails_and_the_verdict_leads_to_the_console(dut: str, check: str, tmp_path: Path) -> None:
    status, record = run(SOURCE / "tests" / "boards" / "planted.yaml", dut, tmp_path / "run")
    assert status == 1, record["scenarios"]
    failed = [entry for entry in record["scenarios"][0]["checks"] if entry["verdict"] == "Fail"]
    assert [entry["name"] for entry in failed] == [check]
    evidence = failed[0]["evidence"][0]
    log = (tmp_path / "run" / evidence["log"]).read_text().splitlines()
    assert 0 < evidence["line"] <= evidence["end_line"] <= len(log) + 1
    assert failed[0]["observed"]
