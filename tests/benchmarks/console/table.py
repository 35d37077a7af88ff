# SPDX-License-Identifier: Apache-2.0
"""Rows of a benchmark: what was measured, and the goal that it is held against."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Row:
    """`goal`: "<= 1.5" or ">= 12"; empty: shown for itself."""

    name: str
    value: float
    unit: str
    goal: str = ""
    detail: str = ""

    @property
    def met(self) -> bool | None:
        if not self.goal:
            return None
        way, bound = self.goal.split()
        return self.value <= float(bound) if way == "<=" else self.value >= float(bound)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: the machine's mood is the same within a round."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def spread(values: Sequence[float], scale: float = 1, digits: int = 1) -> str:
    return f"{min(values) * scale:.{digits}f} to {max(values) * scale:.{digits}f}"


def print_table(rows: list[Row], about: dict[str, Any]) -> None:
    """Markdown, so that it can stand in a document as it is."""
    print(", ".join(f"{key} {value}" for key, value in about.items()) + "\n")
    print("| what | measured | goal | | detail |\n|---|---|---|---|---|")
    for row in rows:
        mark = {True: "met", False: "**missed**", None: ""}[row.met]
        print(f"| {row.name} | {row.value:.3g} {row.unit} | {row.goal} | {mark} | {row.detail} |")
