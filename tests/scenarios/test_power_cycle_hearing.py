# SPDX-License-Identifier: Apache-2.0
"""What G09-POWER-CYCLE makes of a console whose adapter the board powers: no loss, said, and no Fail for what nobody could hear."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scenarios" / "g09_resilience"))

from _hearing import deafness, holes, unheard

STAGES = ["boot-loader", "kernel", "ready"]


def console(*gaps: tuple[str, float], hits: tuple[str, ...] = ()) -> Any:
    found = [SimpleNamespace(cause=cause, begin_ns=0, end_ns=int(seconds * 1e9)) for cause, seconds in gaps]
    seen = [SimpleNamespace(watcher=name) for name in hits]
    return SimpleNamespace(gaps_since=lambda _offset: found, hits_since=lambda _offset: seen)


def boot(missing: str) -> Any:
    return SimpleNamespace(begin=0, missing=missing)


OWN_ADAPTER = (("powered_off", 0), ("powered_off", 2.0), ("deaf", 0.4), ("powered_off", 1.0), ("deaf", 0.9))


def test_an_adapter_that_the_board_powers_is_no_hole_and_is_said() -> None:
    assert not holes(console(*OWN_ADAPTER), 0)
    assert deafness(console(*OWN_ADAPTER), 0) == (
        "the board powers its console's adapter: 2 boots were not heard for up to 0.90 s after power-on"
    )
    assert not deafness(console(("powered_off", 1.0)), 0)


@pytest.mark.parametrize("cause", ["lost", "overrun", "framing", "break", "disk_full", "unwatched"])
def test_anything_else_is_a_hole(cause: str) -> None:
    assert holes(console(*OWN_ADAPTER, (cause, 0.1)), 0) == f"the console's recording has gaps: {cause}"


def test_a_stage_that_came_while_nobody_could_hear_it_is_no_fail() -> None:
    assert unheard(console(*OWN_ADAPTER, hits=("stage:kernel",)), boot("boot-loader"), STAGES)
    assert unheard(console(("overrun", 0.1)), boot("kernel"), STAGES)


def test_a_board_that_does_not_come_back_is_one() -> None:
    assert not unheard(console(*OWN_ADAPTER), boot("boot-loader"), STAGES)
    assert not unheard(console(*OWN_ADAPTER, hits=("stage:boot-loader",)), boot("kernel"), STAGES)
    assert not unheard(console(hits=("stage:ready",)), boot("kernel"), STAGES), "it could be heard all the time"
