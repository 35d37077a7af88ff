# SPDX-License-Identifier: Apache-2.0
"""A new scenario runs at once on the virtual board, and judges."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


def run(folder: Path, out: str) -> tuple[int, dict[str, str]]:
    environment = {**os.environ, "HILCOP_HOME": str(SOURCE), "HILCOP_RUNTIME_DIR": str(folder / "r"), "HILCOP_STATE_DIR": str(folder / "s")}
    words = [PROGRAM, "run", "X01-HELLO", "-b", "virtual", "--scenarios", "hello.py", "--out", out, "--json"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False)
    scenario = json.loads(done.stdout)["scenarios"][0]
    return done.returncode, {check["name"]: check["verdict"] for check in scenario["checks"]}


def test_a_new_scenario_passes_and_without_its_control_or_with_a_wrong_answer_it_does_not(tmp_path: Path) -> None:
    subprocess.run(
        [PROGRAM, "new", "scenario", "X01-HELLO", "--out", "hello.py"],
        cwd=tmp_path,
        env={**os.environ, "HILCOP_HOME": str(SOURCE)},
        timeout=60,
        check=True,
    )
    text = (tmp_path / "hello.py").read_text()
    assert run(tmp_path, "good") == (0, {"computes": "Pass"})
    (tmp_path / "hello.py").write_text("\n".join(line for line in text.splitlines() if "check.control" not in line))
    assert run(tmp_path, "blind") == (3, {"computes": "Inconclusive"})
    (tmp_path / "hello.py").write_text(text.replace("echo $((6 * 7))", "echo $((6 * 8))"))
    assert run(tmp_path, "wrong") == (1, {"computes": "Fail"})
