# SPDX-License-Identifier: Apache-2.0
"""BENCH-BUTTON-PIN on two boards that have nothing in common, and on boards that are wired wrongly: none of those passes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]
BOARD = "boards/microbit-micropython.yaml"


def run(folder: Path, *words: str, bench: Path = SOURCE / "lab-config/virtual.yaml") -> tuple[int, str, dict[str, Any]]:
    environment = {
        **os.environ,
        "HILCOP_RUNTIME_DIR": str(folder / "r"),
        "HILCOP_STATE_DIR": str(folder / "s"),
        "HILCOP_HOME": str(SOURCE),
    }
    command = [PROGRAM, "run", *words, "--bench", str(bench), "--effort", "demo", "--out", str(folder / "run")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (folder / "run/run.json").exists(), done.stdout + done.stderr
    return done.returncode, done.stdout, json.loads((folder / "run/run.json").read_text())


def wired(folder: Path, *changes: tuple[str, str], lab: tuple[str, str] = ("", "")) -> Path:
    """The virtual bench with a copy of the micro:bit's board file in which something is wrong."""
    board = (SOURCE / BOARD).read_text()
    for right, wrong in changes:
        assert right in board
        board = board.replace(right, wrong)
    (folder / "wrong.yaml").write_text(board)
    text = (SOURCE / "lab-config/virtual.yaml").read_text()
    assert lab[0] in text
    text = text.replace("board: qemu-arm64", f"board: {SOURCE}/boards/qemu-arm64.yaml").replace(*lab)
    (folder / "bench.yaml").write_text(text.replace("board: microbit-micropython", "board: wrong.yaml"))
    return folder / "bench.yaml"


def verdicts(record: dict[str, Any]) -> dict[str, str]:
    (scenario,) = record["scenarios"]
    return {check["name"]: check["verdict"] for check in scenario["checks"]}


@pytest.mark.parametrize("dut", ["microbit", "board1"])
def test_a_sound_board_passes(dut: str, tmp_path: Path) -> None:
    status, text, record = run(tmp_path, "BENCH-BUTTON-PIN", "--dut", dut)
    assert status == 0, text
    assert verdicts(record) == {"button": "Pass", "pin": "Pass"}
    assert all(control["ok"] for check in record["scenarios"][0]["checks"] for control in check["controls"])
    cases = list(ElementTree.parse(tmp_path / "run/junit.xml").iter("testcase"))
    assert [(case.get("name"), len(case)) for case in cases] == [("button", 0), ("pin", 0)]
    page = (tmp_path / "run/report.html").read_text()
    assert "EN 303 645" not in page.split("<h2>Checks</h2>")[1], "a scenario without clauses names no standard"


WRONG = {
    "another line than the button's": ([("line: 17", "line: 18")], {"button": "Fail", "pin": "Fail"}),
    "the other button": ([("line: 17", "line: 99"), ("line: 26", "line: 17"), ("line: 99", "line: 26")], {"button": "Fail", "pin": "Fail"}),
    "a button that is held at rest": ([("line: 17, active_low: true", "line: 17")], {"button": "Inconclusive", "pin": "Inconclusive"}),
    "another pin": ([("bit: 3", "bit: 30")], {"button": "Pass", "pin": "Inconclusive"}),
    "a pin upside down": ([("bit: 3 }", "bit: 3, active_low: true }")], {"button": "Pass", "pin": "Inconclusive"}),
    "a line that changes by itself": (  # a row of the display, which shows something from then on
        [("bit: 3 }", "bit: 13 }"), ("pin0.write_digital(1)", "display.show(microbit.Image.HEART)")],
        {"button": "Pass", "pin": "Inconclusive"},
    ),
    "a button that reads something else each time": (
        [("print(microbit.button_a.is_pressed())", 'n = globals().get("n", 0) + 1; print(n % 2 == 0)')],
        {"button": "Inconclusive", "pin": "Inconclusive"},
    ),
    "a pin that changes each time, whatever the button": (
        [
            (
                "pin0.write_digital(microbit.button_a.is_pressed())",
                'pin0.write_digital(globals().get("n", 1)); n = 1 - globals().get("n", 1)',
            )
        ],
        {"button": "Pass", "pin": "Fail"},
    ),
    "a board that never comes up": ([("'^>>> '", "'^never '")], {"button": "Inconclusive", "pin": "Inconclusive"}),
}


@pytest.mark.parametrize(("changes", "wanted"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wired_wrongly_never_passes(changes: list[tuple[str, str]], wanted: dict[str, str], tmp_path: Path) -> None:
    status, text, record = run(tmp_path, "BENCH-BUTTON-PIN", "--dut", "microbit", bench=wired(tmp_path, *changes))
    assert status == (1 if "Fail" in wanted.values() else 3), text
    assert verdicts(record) == wanted, text


def test_polarity_given_twice_is_a_button_held_at_rest(tmp_path: Path) -> None:
    lab = ("channel: button-a }", "channel: button-a, active_low: true }")
    _status, text, record = run(tmp_path, "BENCH-BUTTON-PIN", "--dut", "microbit", bench=wired(tmp_path, lab=lab))
    assert set(verdicts(record).values()) == {"Inconclusive"}, text


def test_a_console_that_is_deaf_is_an_error(tmp_path: Path) -> None:
    # It boots and speaks; what is typed never comes back.
    deaf = [('"\\x03"', '""'), ('line_end: "\\r"', 'line_end: "#"')]
    status, text, record = run(tmp_path, "BENCH-BUTTON-PIN", "--dut", "microbit", bench=wired(tmp_path, *deaf))
    assert status == 3, text
    assert record["scenarios"][0]["verdict"] == "Error"
    assert "Pass" not in verdicts(record).values()
    assert "no prompt was reached in time" in text


def test_a_scenario_on_a_board_that_lacks_what_it_needs_is_not_run_and_says_what_to_add(tmp_path: Path) -> None:
    status, text, record = run(tmp_path, "G09-POWER-CYCLE", "--dut", "microbit")
    assert status == 3, text
    (scenario,) = record["scenarios"]
    assert scenario["verdict"] == "NotRun"
    assert not scenario["checks"]
    assert scenario["error"] is None
    for word in (BOARD, "does not declare", "shell", "functions.data_write", "--dut"):
        assert word in scenario["reason"]
        assert word in text
    assert "data_write" in (tmp_path / "run/report.html").read_text()
    (case,) = ElementTree.parse(tmp_path / "run/junit.xml").iter("testcase")
    assert [(child.tag, child.get("type")) for child in case] == [("error", "NotRun")]
    assert not record["power_edges"], "nothing was switched"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("/usr/share/firmware-microbit-micropython/", "/nowhere/"), ["/nowhere/firmware.hex (`load:`)", "firmware-microbit-micropython"]),
        (("load: [", "dtb: none.dtb\n  build: make it\n  load: ["), ["none.dtb (`dtb:`)", "make it"]),
        (("program: qemu-system-arm", "program: qemu-system-nowhere"), ["qemu-system-nowhere", "install Debian's qemu-system-arm"]),
    ],
)
def test_a_file_that_is_not_there_is_named_with_the_board_and_what_to_install(
    change: tuple[str, str], says: list[str], tmp_path: Path
) -> None:
    status, text, record = run(tmp_path, "BENCH-BUTTON-PIN", "--dut", "microbit", bench=wired(tmp_path, change))
    assert status == 3, text
    error = record["scenarios"][0]["error"]
    assert error["kind"] == "NotFound"
    for word in [*says, "machine-3"]:
        assert word in text
    if "program" not in change[0]:
        assert "wrong.yaml" in error["cause"]
