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


def blocks(language: str, section: str = "The first ten minutes") -> list[str]:
    text = (SOURCE / "README.md").read_text().split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


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


def test_a_board_is_added_by_the_words_of_the_readme(tmp_path: Path) -> None:
    board, bench = blocks("yaml", "Add a board")
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards/uboot-arm.yaml").write_text(board)
    (tmp_path / "lab-config").mkdir()
    (tmp_path / "lab-config/mine.yaml").write_text(bench)
    (tmp_path / "version.py").write_text(blocks("python", "Add a board")[0])
    (script,) = blocks("sh", "Add a board")
    # A name of a bench is looked for in the project's own lab-config, which a test leaves alone.
    done = shell(script.replace("--bench mine", "--bench lab-config/mine.yaml"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Pass  X02-VERSION on first" in done.stdout


def test_a_device_on_a_cable_is_written_as_the_readme_has_it(tmp_path: Path) -> None:
    board, bench = blocks("yaml", "A real device on a cable")
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards/camera.yaml").write_text(board)
    (tmp_path / "lab-config").mkdir()
    (tmp_path / "lab-config/desk.yaml").write_text(bench)
    check, up = blocks("text", "A real device on a cable")[0].splitlines()[:2]
    done = shell(check, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    words = up.removeprefix("sudo build/dev/bin/hilcop ").split()
    done = shell(f"{PROGRAM} {' '.join(words).replace('--bench desk', '--bench lab-config/desk.yaml')}", tmp_path)
    assert done.returncode == 3, "the interface is not there"
    assert "this host has no interface 'enx00e04c680001'" in done.stderr, done.stderr


def test_the_two_commands_stand_in_the_readme() -> None:
    text = (SOURCE / "README.md").read_text()
    assert "./dev demo" in text
    assert "./dev test" in text
