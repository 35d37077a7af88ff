# SPDX-License-Identifier: Apache-2.0
"""What a device answered to many log-ins: the result of `try_logins`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from hilcop.credentials.answers import Outcome

Sign = Literal["said", "control", "cut_off"]
ANSWERED: tuple[Outcome, ...] = ("accepted", "refused")


@dataclass(frozen=True)
class Attempt:
    """One log-in. Its password is not kept: of a pair the list and `index` tell it."""

    index: int | None  # of the pair in its list, from 0; None: a control, or without credentials
    user: str | None
    outcome: Outcome
    said: str  # by the device, in short
    at_ns: int  # steady clock, when it began
    took_s: float  # until it was answered, its connection included


@dataclass(frozen=True)
class Lockout:
    """The device stopped judging log-ins. By its own words (`said`); by refusing the control, which it took before (`control`); or by not
    answering any more, three times in a row (`cut_off`): a device that restarts or hangs looks the same."""

    sign: Sign
    threshold: int  # failed log-ins since the last one that succeeded, the one that was locked out not counted; by `control`: at most
    said: str
    at_ns: int
    duration_s: float | None  # until the control was taken again, at most; None: it was not, while there was time


@dataclass(frozen=True)
class Throttling:
    """From some failed log-in on, all answers took longer."""

    threshold: int  # failed log-ins before it
    before_s: float  # median of what answers took until then
    after_s: float  # and from then on


@dataclass(frozen=True)
class LoginProbe:
    """What was accepted is proved. That nothing was is proved where it is `complete`, and not else: then every pair was answered, the
    right password was taken and a surely wrong one refused in the same way, before and after.

    What no control sees, `complete` or not: a device that locks a user other than the control's without saying so, or one that locks and
    unlocks between two controls.
    """

    protocol: str
    target: str
    list_name: str
    list_sha256: str
    pairs: int  # in the list, that were to be tried
    without: Attempt | None  # without credentials; None: the protocol has no such thing
    control_before: Attempt | None
    wrong: Attempt | None  # the control's user with a password made for this: what refusing looks like
    attempts: tuple[Attempt, ...]  # pairs, in the order of the list
    controls: tuple[Attempt, ...]  # between them
    control_after: tuple[Attempt, ...]  # again and again until it is taken
    wrong_after: Attempt | None  # another such password, once it was
    lockout: Lockout | None
    throttling: Throttling | None
    incomplete: str | None  # why nothing that was not accepted proves anything
    took_s: float

    @property
    def complete(self) -> bool:
        return self.incomplete is None

    @property
    def accepted(self) -> tuple[Attempt, ...]:
        """Pairs that open the device; none of them counts where it `accepts_anything`."""
        return tuple(attempt for attempt in self.attempts if attempt.outcome == "accepted")

    @property
    def open_to_all(self) -> bool:
        """It needs no credentials at all (anonymous FTP and MQTT too)."""
        return self.without is not None and self.without.outcome == "accepted"

    @property
    def accepts_anything(self) -> bool:
        """Already before the pairs, or only after them: as a device that no longer asks once it was guessed at."""
        return any(attempt is not None and attempt.outcome == "accepted" for attempt in (self.wrong, self.wrong_after))

    @property
    def rate_per_min(self) -> float:
        """Guesses that it answered a minute, as they were made; 0 where less than two were."""
        answered = [attempt for attempt in self.attempts if attempt.outcome in ANSWERED]
        if len(answered) < 2:
            return 0.0
        return (len(answered) - 1) * 60e9 / max(1, answered[-1].at_ns - answered[0].at_ns)

    @property
    def outcomes(self) -> dict[Outcome, int]:
        return dict(Counter(attempt.outcome for attempt in self.attempts))

    def as_json(self) -> dict[str, Any]:
        """All of it, for run.attach(). No password is in it."""
        figures = {"complete": self.complete, "open_to_all": self.open_to_all, "accepts_anything": self.accepts_anything}
        return {**asdict(self), **figures, "rate_per_min": self.rate_per_min, "outcomes": dict(self.outcomes)}

    def summary(self) -> dict[str, Any]:
        """The same without each attempt, for the timeline."""
        left_out = ("attempts", "controls", "control_after")
        whole = {key: value for key, value in self.as_json().items() if key not in left_out}
        return {**whole, "tried": len(self.attempts), "accepted_indices": [attempt.index for attempt in self.accepted][:100]}


SLOWER = 2.0  # times what answers took before
SLOWER_S = 0.5  # and so much longer
BASE = 3  # answers, at the most, that tell what they took before
RUN = 3  # answers, at the least, that are slow to the end


def throttling_of(refusals: list[Attempt]) -> Throttling | None:
    """Refused log-ins in their order. The first one from which on every answer is slower than the first ones were."""
    times = [attempt.took_s for attempt in refusals]
    for first in range(1, len(times) - RUN + 1):
        before = median(times[: min(first, BASE)])
        if min(times[first:]) > max(SLOWER * before, before + SLOWER_S):
            return Throttling(first, median(times[:first]), median(times[first:]))
    return None
