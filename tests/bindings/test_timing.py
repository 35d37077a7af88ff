# SPDX-License-Identifier: Apache-2.0
"""A check that needs exact switching is Inconclusive on a bench that is coarser than that, or of which nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hilcop
import pytest
from hilcop import scenarios

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = {"effect": "console main", "utc": "2026-11-25T03:00:00Z", "on": None, "off": {"uncertainty_s": 0.032, "count": 20}}


def make_run(tmp_path: Path, timing: dict[str, Any] | None) -> scenarios.Run:
    @scenarios.scenario("T02", title="t", clauses=[], roles=[], timeout_s=1)
    def timed(_dut: object, _run: object) -> None: ...

    timeline = hilcop.Timeline(file=str(tmp_path / "timeline.ndjson"))
    return scenarios.Run(scenarios.REGISTRY["T02"], "lamp", timeline, 1, "demo", tmp_path, timing)


@pytest.mark.parametrize("said", ["pass", "fail", "nothing"])
@pytest.mark.parametrize(
    ("timing", "needed", "edge", "why"),
    [
        (None, 1.0, "off", "hilcop calibrate lamp"),
        (KNOWN, 0.010, "off", "this bench knows it within 32.0 ms (20 switchings, by console main, 2026-11-25)"),
        (KNOWN, 1.0, "on", "hilcop calibrate lamp"),
    ],
)
def test_a_bench_that_is_not_exact_enough(
    said: str, timing: dict[str, Any] | None, needed: float, edge: str, why: str, tmp_path: Path
) -> None:
    run = make_run(tmp_path, timing)
    check = run.check("c", expected="e", needs_timing_s=needed, timing_of=edge)
    assert not check.timed
    check.control("shown", ok=True)
    if said != "nothing":
        check.judge(said == "pass", observed="o")
    run.finish()
    assert check.verdict == "Inconclusive"
    events = [event for event in (tmp_path / "timeline.ndjson").read_text().splitlines() if '"check.verdict"' in event]
    assert events
    assert all(why in event and '"Inconclusive"' in event for event in events)


def test_a_bench_that_is_exact_enough(tmp_path: Path) -> None:
    for ok, verdict in ((True, "Pass"), (False, "Fail")):
        check = make_run(tmp_path, KNOWN).check("c", expected="e", needs_timing_s=0.032)
        assert check.timed
        check.control("shown", ok=True)
        check.judge(ok, observed="o")
        assert check.verdict == verdict


def test_an_edge_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'on' or 'off'"):
        make_run(tmp_path, None).check("c", expected="e", needs_timing_s=1, timing_of="of")
