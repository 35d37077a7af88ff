# SPDX-License-Identifier: Apache-2.0
"""hilcop boots: what a person and a program get, and when its status says that nothing differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from boot_runs import SOUND, BootRuns

PROGRAM = os.environ["HILCOP_PROGRAM"]


def boots(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "boots", *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def compared(*words: str | Path, folder: Path) -> dict[str, Any]:
    done = boots(*words, "--json", folder=folder)
    found: dict[str, Any] = json.loads(done.stdout)["duts"][0]
    return found


def sound_run(folder: Path, count: int = 3) -> BootRuns:
    run = BootRuns(folder)
    for number in range(count):
        run.boot([line.replace("1.5", f"1.{number}").replace("12 ms", f"{number} ms") for line in SOUND])
    return run


def test_sound_boots_of_one_run_do_not_differ(tmp_path: Path) -> None:
    sound_run(tmp_path / "a")
    done = boots("a", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "3 boots, 3 of them ready" in done.stdout
    assert "lines that not every complete boot has: none" in done.stdout


def test_a_line_that_one_boot_lacks_is_shown_with_its_place(tmp_path: Path) -> None:
    sound_run(tmp_path / "a").boot([*SOUND[:2], *SOUND[3:]])
    done = boots("a", folder=tmp_path)
    assert done.returncode == 1
    assert "virtio up" in done.stdout
    assert "a/console/board1-main.log line 3, boot 1" in done.stdout


def test_another_run_is_held_against_the_first(tmp_path: Path) -> None:
    sound_run(tmp_path / "a")
    run = sound_run(tmp_path / "b", 2)
    run.boot([*SOUND[:3], "evil[7]: listening on port 23", SOUND[-1]])
    assert boots("a", "b", folder=tmp_path).returncode == 1
    found = compared("a", "b", folder=tmp_path)
    assert [(line["text"], line["in_boots"], line["boot"]) for line in found["new"][:1]] == [("evil[7]: listening on port 23", 1, 3)]
    assert [(line["text"], line["missing_in"]) for line in found["missing"]] == [("app[12]: started in 0 ms", 1)]
    at = found["new"][0]
    assert run.raw[at["begin"] : at["end"]].decode() in at["text"]
    assert run.raw.decode().splitlines()[at["line"] - 1] == at["text"]
    assert found["reference"] == str(tmp_path / "a")
    assert compared("a", "b", "--reference", "b", folder=tmp_path)["reference"] == str(tmp_path / "b")


def test_a_boot_that_was_cut_takes_no_part_in_missing_but_in_new(tmp_path: Path) -> None:
    sound_run(tmp_path / "a").boot(SOUND[:2])
    done = boots("a", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "was cut before its stage 'ready'" in done.stdout
    BootRuns(tmp_path / "b").boot([SOUND[0], "Kernel panic - not syncing"]).boot(SOUND)
    new = [line["text"] for line in compared("a", "b", folder=tmp_path)["new"]]
    assert [text for text in new if "panic" in text] == ["Kernel panic - not syncing"]


@pytest.mark.parametrize("bad", ["all cut", "gap", "one boot", "torn", "damaged", "no recording", "other dut"])
def test_where_nothing_can_be_judged_the_status_is_not_that_of_no_difference(bad: str, tmp_path: Path) -> None:
    sound_run(tmp_path / "a")
    run = BootRuns(tmp_path / "b", "board2" if bad == "other dut" else "board1")
    run.boot(SOUND[:2] if bad == "all cut" else SOUND, off=False)
    if bad == "gap":
        run.event("board1/main", "console.gap", cause="overrun", offset=3, begin_ns=1, end_ns=2, detail="")
    if bad in ("torn", "damaged"):
        with run.timeline.open("a") as file:
            file.write('{"steady_ns":' + ("\n" if bad == "damaged" else ""))
    if bad == "no recording":
        (run.console / "board1-main.raw").unlink()
    words = ["b"] if bad == "one boot" else ["a", "b"]
    done = boots(*words, folder=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "not judged" in done.stdout


def test_a_folder_whose_name_is_no_utf8_is_no_fault_of_ours(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff"))
    sound_run(folder)
    assert len(compared(folder, folder=tmp_path)["boots"]) == 3


def test_late_stages_are_marked_and_runs_stand_side_by_side(tmp_path: Path) -> None:
    sound_run(tmp_path / "a")
    run = BootRuns(tmp_path / "b")
    run.boot(SOUND, slow=9).boot(SOUND)
    done = boots("a", "b", folder=tmp_path)
    rows = [line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["ready"]]
    assert [row[1:4] for row in rows] == [["a", "3", "0.500"], ["b", "2", "0.500"]]
    assert rows[1][-4:] == ["LATE", "in", "1", "boot"]
    stage = compared("a", "b", folder=tmp_path)["stages"][-1]
    assert stage["late"] == 1
    assert abs(stage["spread_s"] - (stage["max_s"] - stage["min_s"])) < 1e-9


def test_of_many_lines_the_rest_is_counted(tmp_path: Path) -> None:
    sound_run(tmp_path / "a")
    BootRuns(tmp_path / "b").boot([*SOUND[:2], *(f"new {'x' * n}" for n in range(1, 31)), *SOUND[2:]])
    few, every = boots("a", "b", folder=tmp_path).stdout, boots("a", "b", "--all", folder=tmp_path).stdout
    assert "more: --all shows them" in few
    assert few.count(": new x") == 20
    assert every.count(": new x") == 30


def test_a_run_that_was_killed_and_one_of_open_bench_have_boots(tmp_path: Path) -> None:
    run = sound_run(tmp_path / "a")
    run.boot(SOUND[:3], off=False)
    assert not (tmp_path / "a" / "run.json").exists()
    done = boots("a", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "is not over, or its recording ends" in done.stdout
    plain = BootRuns(tmp_path / "c", whole_run=False)
    plain.boot(SOUND).boot(SOUND)
    assert boots("c", folder=tmp_path).returncode == 0


def test_the_boards_noise_comes_with_the_run(tmp_path: Path) -> None:
    for name, value in (("a", 5), ("b", 77)):
        run = BootRuns(tmp_path / name)
        run.event("bench", "bench.open", bench="x", file="f", sha256="", duts={"board1": {"boot_noise": ["entropy \\d+"]}})
        run.boot([SOUND[0], f"entropy {value} left", SOUND[-1]])
    assert boots("a", "b", folder=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["none"], 3, "there is no such directory"),
        (["empty"], 3, "has no timeline"),
        (["a", "--dut", "board9"], 3, "has no boots of dut 'board9'"),
        ([], 2, "RUN is required"),
        (["a", "--reference", "none"], 3, "there is no such directory"),
    ],
)
def test_what_is_wrong_is_told(words: list[str], status: int, says: str, tmp_path: Path) -> None:
    sound_run(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    done = boots(*words, folder=tmp_path)
    assert done.returncode == status
    assert says in done.stderr + done.stdout
