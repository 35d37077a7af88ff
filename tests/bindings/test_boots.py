# SPDX-License-Identifier: Apache-2.0
"""ReferenceBoots: when a check on a boot's lines passes, fails, and says nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import hilcop
import pytest
from hilcop import ReferenceBoots, scenarios

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from boot_runs import SOUND, BootRuns


@pytest.fixture
def run(tmp_path: Path) -> scenarios.Run:
    declared = scenarios.Scenario("X02", "t", ("5.6-1",), (), (), dict.fromkeys(scenarios.EFFORTS, 1.0), lambda _dut, _run: None, "f", 1)
    timeline = hilcop.Timeline(file=str(tmp_path / "events.ndjson"))
    return scenarios.Run(declared, "board1", timeline, 1, "demo", tmp_path / "run" / "console")


@pytest.fixture
def reference(tmp_path: Path) -> ReferenceBoots:
    BootRuns(tmp_path / "good").boot(SOUND).boot([line.replace("1.5", "1.7") for line in SOUND])
    return ReferenceBoots(tmp_path / "good")


def booted(tmp_path: Path, lines: list[str], gap: str = "") -> hilcop.BootLog:
    made = BootRuns(tmp_path / "run").boot(lines, off=False)
    if gap:
        made.event("board1/main", "console.gap", cause=gap, offset=1, begin_ns=1, end_ns=1, detail="")
    made.event("board1/power", "power.edge", on=False, offset=len(made.raw))
    (boot,) = hilcop.read_boots(tmp_path / "run")
    return boot


def judged(run: scenarios.Run, reference: ReferenceBoots, boot: hilcop.BootLog, **options: Any) -> dict[str, Any]:
    check = run.check("lines", expected="none is new")
    reference.judge(check, boot, **options)
    lines = (run.record_dir.parent.parent / "events.ndjson").read_text().splitlines()
    verdict: dict[str, Any] = [json.loads(line)["data"] for line in lines if '"check.verdict"' in line][-1]
    return verdict


def test_a_sound_boot_passes(run: scenarios.Run, reference: ReferenceBoots, tmp_path: Path) -> None:
    assert (reference.boots, reference.learned) == (2, 1)
    verdict = judged(run, reference, booted(tmp_path, [line.replace("1.5", "9.9") for line in SOUND]))
    assert verdict["verdict"] == "Pass", verdict


def test_a_new_line_fails_and_the_evidence_is_its_bytes(run: scenarios.Run, reference: ReferenceBoots, tmp_path: Path) -> None:
    boot = booted(tmp_path, [*SOUND[:2], "telnetd: listening", *SOUND[2:]])
    verdict = judged(run, reference, boot)
    assert verdict["verdict"] == "Fail"
    (evidence,) = verdict["evidence"]
    assert (tmp_path / "run" / evidence["path"]).read_bytes()[evidence["begin"] : evidence["end"]] == b"telnetd: listening"
    assert [line.text for line in boot.lines_not_in(reference)] == ["telnetd: listening"]
    assert boot.lines_not_in(reference)[0].elapsed_s == pytest.approx(0.3, abs=0.01)


def test_a_missing_line_fails_unless_it_is_not_asked_for(run: scenarios.Run, reference: ReferenceBoots, tmp_path: Path) -> None:
    boot = booted(tmp_path, [line for line in SOUND if "virtio" not in line])
    assert [(line.text, line.begin, line.end) for line in boot.lines_missing_from(reference)] == [
        ("[    0.100000] virtio up", boot.begin, boot.end)
    ]
    assert judged(run, reference, boot, missing=False)["verdict"] == "Pass"
    assert judged(run, reference, boot)["verdict"] == "Fail"


@pytest.mark.parametrize(("lines", "gap"), [(SOUND[:3], ""), (SOUND, "overrun"), (SOUND, "lost")])
def test_a_boot_in_doubt_passes_never_and_fails_for_what_is_there(
    lines: list[str], gap: str, run: scenarios.Run, reference: ReferenceBoots, tmp_path: Path
) -> None:
    boot = booted(tmp_path, lines, gap)
    assert boot.doubt
    assert boot.complete == (lines is SOUND)
    assert len(boot.gaps) == (1 if gap else 0)
    assert judged(run, reference, boot)["verdict"] == "Inconclusive"
    worse = booted(tmp_path / "worse", [*lines[:1], "evil", *lines[1:]], gap)
    assert judged(run, reference, worse)["verdict"] == "Fail"


def test_a_boot_is_not_held_against_itself(run: scenarios.Run, tmp_path: Path) -> None:
    boot = booted(tmp_path, [*SOUND[:2], "evil", *SOUND[2:]])
    for reference in (ReferenceBoots(boot), ReferenceBoots(tmp_path / "run")):
        with pytest.raises(ValueError, match="held against itself"):
            reference.judge(run.check("c", expected="e"), boot)


def test_a_pass_says_how_many_lines_it_rests_on(run: scenarios.Run, reference: ReferenceBoots, tmp_path: Path) -> None:
    boot = booted(tmp_path, [*SOUND, "evil: after the last stage, for longer than the reference was watched"])
    verdict = judged(run, reference, boot)
    assert verdict["verdict"] == "Pass"
    assert verdict["observed"] == "boot 1: 5 of 6 lines compared, none that the reference lacks"


def test_an_empty_reference_judges_nothing(run: scenarios.Run, tmp_path: Path) -> None:
    cut = BootRuns(tmp_path / "cut").boot(SOUND[:2])
    boot = booted(tmp_path, SOUND)
    for empty in (ReferenceBoots(), ReferenceBoots(cut.folder)):
        verdict = judged(run, empty, boot)
        assert verdict["verdict"] == "Inconclusive"
        assert "reference is empty" in verdict["reason"]
    assert "was cut" in ReferenceBoots(cut.folder).left_out[0]


def test_noise_that_would_hide_what_is_planted_lets_nothing_pass(run: scenarios.Run, tmp_path: Path) -> None:
    runs = BootRuns(tmp_path / "good")
    noise = ["^hilcop planted this line to see.*"]
    runs.event("bench", "bench.open", duts={"board1": {"boot_noise": noise}}).boot(["hilcop planted this line to see", *SOUND])
    blind = ReferenceBoots(runs.folder)
    assert not blind.would_find("hilcop planted this line to see whether it is found")
    verdict = judged(run, blind, booted(tmp_path, ["hilcop planted this line to see", *SOUND]))
    assert verdict["verdict"] == "Inconclusive", verdict
    assert "a line that the reference lacks is found" in verdict["reason"]


def test_boots_of_several_duts_or_of_another_are_refused(run: scenarios.Run, reference: ReferenceBoots, tmp_path: Path) -> None:
    BootRuns(tmp_path / "two", "board1").boot(SOUND)
    other = BootRuns(tmp_path / "two", "board2").boot(SOUND)
    with pytest.raises(ValueError, match="choose one with dut="):
        ReferenceBoots(other.folder)
    assert ReferenceBoots(other.folder, dut="board2").boots == 1
    (boot,) = hilcop.read_boots(other.folder, "board2")
    with pytest.raises(ValueError, match="is no reference for board1"):
        ReferenceBoots(boot, dut="board1")
    with pytest.raises(ValueError, match="is not recorded in this run"):
        reference.judge(run.check("c", expected="e"), boot)
    with pytest.raises(hilcop.NotFoundError, match="has no timeline"):
        ReferenceBoots(tmp_path / "none")
