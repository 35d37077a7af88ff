# SPDX-License-Identifier: Apache-2.0
"""`hilcop new`: what it writes is valid at once, what is there is never touched, a name that is none is refused with the reason."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project of its own to write into."""
    for name in ("boards", "lab-config", "scenarios"):
        shutil.copytree(SOURCE / name, tmp_path / "home" / name)
    return tmp_path / "home"


def hilcop(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HILCOP_HOME": str(home), "HILCOP_RUNTIME_DIR": str(home / "r"), "HILCOP_STATE_DIR": str(home / "s")}
    return subprocess.run([PROGRAM, *words], cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False)


def uncommented(text: str) -> str:
    head, body = text.split("\n\n", 1)
    return head + "\n\n" + re.sub(r"^# ", "", body, flags=re.MULTILINE)


def test_a_new_board_is_valid_at_once_and_with_everything_uncommented(home: Path) -> None:
    done = hilcop(home, "new", "board", "lamp")
    assert done.returncode == 0, done.stderr
    assert "boards/lamp.yaml" in done.stdout
    checked = hilcop(home, "check", "boards/lamp.yaml")
    assert checked.returncode == 0, checked.stderr
    text = (home / "boards/lamp.yaml").read_text()
    assert "\n# yaml-language-server: $schema=board.schema.json\n" in text
    # A board has a shell or a REPL, not both, and what is flashed goes by one route.
    whole = re.sub(r"^repl:.*\n(  .*\n)*", "", uncommented(text), flags=re.MULTILINE)
    (home / "all.yaml").write_text(re.sub(r"^    (uboot|dfu|fastboot|openocd|command):.*\n(      .*\n)*", "", whole, flags=re.MULTILINE))
    checked = hilcop(home, "check", "all.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "1 boot stages" in checked.stdout


def test_a_new_board_has_every_key_with_its_description(home: Path) -> None:
    import json

    hilcop(home, "new", "board", "lamp")
    lines = (home / "boards/lamp.yaml").read_text().splitlines()

    def look(schema: dict[str, object]) -> None:
        for name, value in schema.get("properties", {}).items():  # type: ignore[attr-defined]
            assert any(re.match(rf"(# )?[ -]*{name}:.*# {re.escape(value['description'])}", line) for line in lines), name
            look(value)
            look(value.get("items", {}))

    schema = json.loads((SOURCE / "boards/board.schema.json").read_text())
    del schema["properties"]["machine"]["properties"]
    look(schema)


def test_a_new_board_may_be_like_another(home: Path) -> None:
    done = hilcop(home, "new", "board", "other", "--like", "qemu-arm64")
    assert done.returncode == 0, done.stderr
    ours, theirs = ((home / "boards" / f"{name}.yaml").read_text() for name in ("other", "qemu-arm64"))
    assert theirs[theirs.index("\nmachine:") :].strip() in ours
    assert hilcop(home, "check", "boards/other.yaml").returncode == 0
    bench = (home / "lab-config/virtual.yaml").read_text().replace("board: qemu-arm64 }", "board: other }")
    (home / "lab-config/virtual.yaml").write_text(bench)
    assert hilcop(home, "check", "lab-config/virtual.yaml").returncode == 0
    hilcop(home, "new", "board", "plain")
    refused = hilcop(home, "new", "board", "third", "--like", "plain")
    assert refused.returncode == 2
    assert "has no `machine:`" in refused.stderr
    for wrong in (["--like", "none"], ["--like", "qemu-arm64", "--out", "elsewhere.yaml"]):
        assert hilcop(home, "new", "board", "third", *wrong).returncode == 2
    assert not (home / "boards/third.yaml").exists()
    assert not (home / "elsewhere.yaml").exists()


@pytest.mark.parametrize("name", ["null", "NULL", "7", "a", "x.y-z_1", "true", "0x10"])
def test_odd_names_are_names(name: str, home: Path) -> None:
    assert hilcop(home, "new", "board", name).returncode == 0
    checked = hilcop(home, "check", f"boards/{name}.yaml")
    assert checked.returncode == 0, checked.stderr
    assert f"board '{name}'" in checked.stdout


@pytest.mark.parametrize("name", ["", "../x", "a b", ".hidden", "-x-", "x.yaml", "ä", "a" * 65, "a\nb", "a: b"])
def test_a_bad_board_name_is_refused_with_the_reason(name: str, home: Path) -> None:
    before = sorted(home.rglob("*"))
    done = hilcop(home, "new", "board", "--", name)
    assert done.returncode == 2
    assert "letters, digits, '.', '_' and '-'" in done.stderr
    assert sorted(path for path in home.rglob("*") if path.parent.name != "s") == before


def test_nothing_is_overwritten(home: Path) -> None:
    (home / "boards/lamp.yaml").write_text("mine")
    (home / "there.py").write_text("mine")
    (home / "link.yaml").symlink_to(home / "target.yaml")
    for words in (
        ["board", "lamp"],
        ["board", "x", "--out", "boards/lamp.yaml"],
        ["scenario", "X01-A", "--out", "there.py"],
        ["board", "y", "--out", "link.yaml"],
    ):
        done = hilcop(home, "new", *words)
        assert done.returncode == 2
        assert "is there already: nothing is overwritten" in done.stderr
    assert (home / "boards/lamp.yaml").read_text() == (home / "there.py").read_text() == "mine"
    assert not (home / "target.yaml").exists()
    missing = hilcop(home, "new", "board", "z", "--out", "boards/lamp.yaml/z.yaml")
    assert missing.returncode == 3
    assert "z.yaml" in missing.stderr


@pytest.mark.parametrize(
    ("scenario", "file"),
    [
        ("G09-MINE", "scenarios/g09_resilience/g09_mine.py"),
        ("X01-JSON", "scenarios/x01/x01_json.py"),
        ("X01-2ND-IMPORT", "scenarios/x01/x01_2nd_import.py"),
    ],
)
def test_a_new_scenario_is_found_at_once(scenario: str, file: str, home: Path) -> None:
    done = hilcop(home, "new", "scenario", scenario)
    assert done.returncode == 0, done.stderr
    assert file in done.stdout
    listed = hilcop(home, "list", "-b", "virtual")
    assert listed.returncode == 0, listed.stderr
    assert f"  {scenario} " in listed.stdout
    again = hilcop(home, "new", "scenario", scenario, "--out", "other.py")
    assert again.returncode == 2
    assert "is declared already in" in again.stderr


@pytest.mark.parametrize(
    "scenario", ["", "hello", "G9-X", "g09-x", "G09", "G09-", "G09-A--B", "G09-a", "G09_X", "../G09-X", "G09-" + "X" * 80]
)
def test_a_bad_scenario_id_is_refused_with_the_reason(scenario: str, home: Path) -> None:
    done = hilcop(home, "new", "scenario", "--", scenario)
    assert done.returncode == 2
    assert "as in G09-POWER-CYCLE" in done.stderr


def test_a_new_scenario_passes_mypy_strict(home: Path) -> None:
    hilcop(home, "new", "scenario", "X01-HELLO", "--out", "hello.py")
    words = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        str(SOURCE / "pyproject.toml"),
        "--cache-dir",
        str(home / "cache"),
        "hello.py",
    ]
    environment = {**os.environ, "MYPYPATH": str(SOURCE / "bindings")}
    done = subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout
