# SPDX-License-Identifier: Apache-2.0
"""What the console could not hear, and what that leaves unjudged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hilcop import BootResult, Console

# Without power there is nothing to hear. Deaf: the board had power again, its own adapter was not back yet. Nothing that is judged after
# a boot rests on its first words; what was missed is said.
NO_LOSS = ("powered_off", "deaf")


def holes(console: Console, begin: int) -> str:
    """What was lost since then that the board's power does not explain; empty: nothing."""
    lost = [gap.cause for gap in console.gaps_since(begin) if gap.cause not in NO_LOSS]
    return f"the console's recording has gaps: {', '.join(lost)}" if lost else ""


def deafness(console: Console, begin: int) -> str:
    """What the record must say of boots whose beginning nobody could hear; empty: all were heard whole."""
    spans = [gap.end_ns - gap.begin_ns for gap in console.gaps_since(begin) if gap.cause == "deaf"]
    if not spans:
        return ""
    return f"the board powers its console's adapter: {len(spans)} boots were not heard for up to {max(spans) / 1e9:.2f} s after power-on"


def unheard(console: Console, boot: BootResult, stages: list[str]) -> str:
    """Why the stage that is missing may have come all the same; empty: it would have been heard."""
    lost = holes(console, boot.begin)
    if lost:
        return lost
    deaf = any(gap.cause == "deaf" for gap in console.gaps_since(boot.begin))
    later = {f"stage:{name}" for name in stages[stages.index(boot.missing) + 1 :]}
    if deaf and any(hit.watcher in later for hit in console.hits_since(boot.begin)):
        return "the console's adapter, which the board powers, was not back yet when it may have come: a later stage was seen"
    return ""
