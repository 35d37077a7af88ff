# SPDX-License-Identifier: Apache-2.0
"""The README's code blocks do what it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (SOURCE / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HILCOP_RUNTIME_DIR": str(folder / "runtime"),
        "HILCOP_STATE_DIR": str(folder / "state"),
        "HILCOP_HOME": str(SOURCE),
    }
    script = script.replace("./dev hilcop", PROGRAM)
    return subprocess.run(["bash", "-euc", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab-config").symlink_to(SOURCE / "lab-config")
    return tmp_path


def test_the_commands_of_the_first_ten_minutes_succeed(folder: Path) -> None:
    scripts = blocks("sh")
    assert len(scripts) >= 2
    (folder / "hello.py").write_text(blocks("python")[0])
    for script in scripts:
        done = shell(script, folder)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    assert "Pass" in done.stdout


def test_without_its_control_the_scenario_of_the_readme_passes_no_more(folder: Path) -> None:
    lines = blocks("python")[0].splitlines()
    assert any("check.control" in line for line in lines)
    (folder / "hello.py").write_text("\n".join(line for line in lines if "check.control" not in line))
    done = shell(blocks("sh")[-1], folder)
    assert done.returncode == 3
    assert "no control was shown" in done.stdout


def test_the_two_commands_stand_in_the_readme() -> None:
    text = (SOURCE / "README.md").read_text()
    assert "./dev demo" in text
    assert "./dev test" in text
