# SPDX-License-Identifier: Apache-2.0
"""What a person or a program gets from the commands when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


def hilcop(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "r"), "HILCOP_STATE_DIR": str(folder / "s"), "HILCOP_HOME": str(SOURCE)}
    environment.pop("HILCOP_BENCH", None)
    return subprocess.run([PROGRAM, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_version(tmp_path: Path) -> None:
    assert hilcop("version", folder=tmp_path).stdout.startswith("hilcop 0.")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "NO-SUCH"], "scenario 'NO-SUCH'"),
        (["run", "G09-POWER-CYCLE", "--dut", "board9"], "choose one of: board1, board2"),
        (["run", "G09-POWER-CYCLE", "--effort", "huge"], "demo"),
        (["run", "--bench", "none"], "choose one of: virtual"),
        (["power", "board9", "on"], "choose one of: board1, board2"),
        (["check", "none.yaml"], "there is no such file"),
        (["nonsense"], "nonsense"),
    ],
)
def test_usage_errors_say_what_to_do_and_exit_with_2(words: list[str], says: str, tmp_path: Path) -> None:
    done = hilcop(*words, folder=tmp_path)
    assert done.returncode == 2, done
    assert says in done.stdout + done.stderr


def test_a_run_never_writes_into_another_runs_evidence(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    done = hilcop("run", "G09-POWER-CYCLE", "--out", "there", folder=tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr


def test_check_gives_json_with_every_problem(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("bench: x\ninstruments: {}\nduts: { d: { bord: b } }\n")
    done = hilcop("check", "x.yaml", "--json", folder=tmp_path)
    assert done.returncode == 2
    problems = json.loads(done.stdout)
    assert {problem["key"] for problem in problems} == {"duts.d.bord", "duts.d"}


def test_a_broken_scenario_file_is_shown_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import hilcop\nraise RuntimeError('oh')\n")
    done = hilcop("run", "--scenarios", "broken.py", folder=tmp_path)
    assert done.returncode == 2
    assert "broken.py" in done.stderr
    assert "oh" in done.stderr
