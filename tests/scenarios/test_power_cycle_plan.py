# SPDX-License-Identifier: Apache-2.0
"""The plan of G09-POWER-CYCLE: the seed alone decides."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scenarios" / "g09_resilience"))

from _plan import CUTS, LOSSES, OFF_S, PHASES, make_plan

STAGES = ["boot-loader", "kernel", "data", "ready"]


@pytest.mark.parametrize("effort", list(CUTS))
def test_the_same_seed_gives_the_same_plan_and_another_another(effort: str) -> None:
    plans = [make_plan(random.Random(seed), effort, STAGES) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]
    assert len(plans[0]) == CUTS[effort]


@pytest.mark.parametrize("effort", list(CUTS))
def test_every_phase_and_loss_occurs_and_off_times_keep_their_range(effort: str) -> None:
    plan = make_plan(random.Random(3), effort, STAGES)
    assert {cut.phase for cut in plan} == set(PHASES)
    assert {cut.loss for cut in plan} == set(LOSSES)
    assert all(OFF_S[effort][0] <= cut.off_s <= OFF_S[effort][1] for cut in plan)
    assert any(cut.trigger == "disk-write" for cut in plan)


def test_a_cut_during_boot_never_waits_for_the_last_stage() -> None:
    plan = make_plan(random.Random(4), "standard", STAGES)
    assert all(cut.trigger != "stage:ready" for cut in plan)
