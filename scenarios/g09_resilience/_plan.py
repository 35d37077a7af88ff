# SPDX-License-Identifier: Apache-2.0
"""The plan of power cuts: the same seed gives the same plan."""

from __future__ import annotations

import random
from dataclasses import dataclass

CUTS = {"demo": 8, "test": 20, "standard": 100}
PHASES = ("data", "config", "boot", "idle")
LOSSES = ("torn", "drop", "subset", "prefix")
# Seconds without power: log-uniform; the demo and the test cannot wait for 30 s again and again.
OFF_S = {"demo": (0.1, 3.0), "test": (0.1, 10.0), "standard": (0.1, 30.0)}


@dataclass(frozen=True)
class Cut:
    """One cut: in which phase, by which trigger, with which loss, how long off."""

    index: int
    phase: str
    trigger: str  # "disk-write": at the k-th write after the event; "time": so many seconds after it; "stage:NAME": after that boot stage
    offset: float  # k, or seconds
    loss: str
    seed: int
    off_s: float

    def __str__(self) -> str:
        after = f" after {self.trigger}" if self.trigger.startswith("stage:") else ""
        when = f"write {self.offset:.0f}" if self.trigger == "disk-write" else f"{self.offset:.2f} s{after}"
        return f"{self.phase} at {when}, {self.loss}, off {self.off_s:.1f} s"


def make_plan(rng: random.Random, effort: str, stages: list[str]) -> list[Cut]:
    """stages: the board's boot stages, in order; a cut during boot follows power-on or one of them but the last."""
    plan = []
    low, high = OFF_S[effort]
    for index in range(CUTS[effort]):
        phase = PHASES[index % len(PHASES)]
        loss = LOSSES[(index // len(PHASES) + index) % len(LOSSES)]
        trigger, offset = "time", rng.uniform(0.05, 0.8)
        if phase == "boot":
            moments = ["time", *(f"stage:{stage}" for stage in stages[:-1])]
            trigger = rng.choice(moments)
        elif phase in ("data", "config") and rng.random() < 0.85:
            trigger, offset = "disk-write", float(rng.randint(2, 90 if phase == "data" else 8))
        off_s = low * (high / low) ** rng.random()
        plan.append(Cut(index, phase, trigger, offset, loss, rng.getrandbits(32), off_s))
    return plan
