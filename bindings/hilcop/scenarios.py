# SPDX-License-Identifier: Apache-2.0
"""Scenarios, checks, measurements: what a scenario says, written to the timeline as it is said."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hilcop._hilcop import Dut, Timeline

EFFORTS = ("demo", "test", "standard")


class SpanOfConsole(Protocol):
    """Anything with a place in a console's recording: a Match, a CommandResult, a StageTime."""

    @property
    def begin(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True)
class Evidence:
    """A span of a file of the run directory, with the words a person should see there. Offsets are bytes."""

    path: str
    begin: int = 0
    end: int = 0
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"path": self.path, "begin": self.begin, "end": self.end, "text": self.text}


@dataclass(frozen=True)
class Scenario:
    """A scenario as it was declared with @scenario."""

    id: str
    title: str
    clauses: tuple[str, ...]
    roles: tuple[str, ...]
    board_keys: tuple[str, ...]
    timeout_s: dict[str, float]
    function: Callable[[Dut, Run], None]
    file: str
    line: int

    def timeout(self, effort: str) -> float:
        return self.timeout_s[effort]

    def lacking(self, dut: Dut) -> str:
        """What this scenario needs and the DUT has not, and where it is to be added; empty: nothing."""
        roles = [role for role in self.roles if role not in dut.roles]
        keys = [key for key in self.board_keys if not any(_declares(dut, one) for one in key.split("|"))]
        said = []
        if roles:
            said.append(f"dut '{dut.name}' has no {', '.join(roles)} on this bench: add it in lab-config")
        if keys:
            said.append(f"{dut.board_file} does not declare {', '.join(key.replace('|', ' or ') for key in keys)}: add it there")
        return "; ".join(said) + ("; or choose another DUT with --dut" if said else "")


def _declares(dut: Dut, key: str) -> bool:
    section, _, name = key.partition(".")
    if section == "functions":
        return name in dut.functions
    return {"shell": dut.has_shell, "repl": dut.has_repl, "boot_stages": bool(dut.stages)}[section]


REGISTRY: dict[str, Scenario] = {}


def scenario(
    id: str,
    *,
    title: str,
    clauses: Sequence[str],
    roles: Sequence[str],
    timeout_s: float | dict[str, float],
    board_keys: Sequence[str] = (),
) -> Callable[[Callable[[Dut, Run], None]], Callable[[Dut, Run], None]]:
    """Declares a function(dut, run) as a scenario. timeout_s: seconds, one number or one for each effort.

    roles: kinds of role that lab-config must give the DUT (power, console, reset, button, output, input, meter, usb, network, storage).
    board_keys: what its board file must declare: shell, repl, boot_stages, functions.NAME; "shell|repl" for one of two. On a DUT that
    lacks any of them the scenario is NotRun, with what to add. Raises ValueError for a key that no board has.
    """
    for key in (one for alternatives in board_keys for one in alternatives.split("|")):
        if key not in ("shell", "repl", "boot_stages") and not (key.startswith("functions.") and key != "functions."):
            raise ValueError(f"scenario {id}: no board key '{key}'; choose of: shell, repl, boot_stages, functions.NAME")

    def declare(function: Callable[[Dut, Run], None]) -> Callable[[Dut, Run], None]:
        if id in REGISTRY and REGISTRY[id].file != function.__code__.co_filename:
            raise ValueError(f"scenario {id} is declared twice: {REGISTRY[id].file} and {function.__code__.co_filename}")
        limits = timeout_s if isinstance(timeout_s, dict) else dict.fromkeys(EFFORTS, timeout_s)
        REGISTRY[id] = Scenario(
            id,
            title,
            tuple(clauses),
            tuple(roles),
            tuple(board_keys),
            limits,
            function,
            function.__code__.co_filename,
            function.__code__.co_firstlineno,
        )
        return function

    return declare


@contextmanager
def powered(dut: Dut) -> Iterator[Dut]:
    """Power as a scope: on now, off at the end, however it ends."""
    try:
        dut.power.on()  # within: one that failed or was interrupted may have switched all the same
        yield dut
    finally:
        dut.power.off()


class Held:
    """Keys and straps that are held down."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.held_s: float | None = None
        """How long each was held at least, from the last one's acknowledged press to the first one's commanded release."""


@contextmanager
def held(dut: Dut, *names: str) -> Iterator[Held]:
    """Keys and outputs of these names held down together, as a scope: recovery straps while power comes on. Let go however it ends.

    with held(dut, "recovery", "volume-up"):
        dut.power.on()
    """
    holding = Held(names)
    pressed = dut.set_together(names, True)
    try:
        yield holding
    finally:
        released = dut.set_together(names, False)
        holding.held_s = (min(commanded for commanded, _ in released) - max(acknowledged for _, acknowledged in pressed)) / 1e9


@dataclass(frozen=True)
class Timing:
    """How exactly a check must know the moment at which power really goes or comes."""

    needed_s: float
    edge: str  # "on", "off"

    def lacking(self, known: dict[str, Any] | None, dut_name: str) -> str:
        """Why the bench does not know it so exactly; empty: it does. What is not known is not good enough."""
        wanted = f"needs power {self.edge} to be timed within {self.needed_s * 1e3:g} ms"
        spread = (known or {}).get(self.edge)
        if known is None or spread is None:
            return f"{wanted}; this bench is not calibrated for that: run `hilcop calibrate {dut_name}`"
        if spread["uncertainty_s"] <= self.needed_s:
            return ""
        return (
            f"{wanted}; this bench knows it within {spread['uncertainty_s'] * 1e3:.1f} ms"
            f" ({spread['count']} switchings, by {known['effect']}, {known['utc'][:10]}): use a faster or steadier power port"
        )


class Check:
    """One question with an answer. Pass needs at least one control, all of them ok: otherwise the verdict is Inconclusive."""

    def __init__(self, run: Run, name: str, expected: str, title: str, clauses: Sequence[str], timing: Timing | None = None) -> None:
        self._run = run
        self.name = name
        self.expected = expected
        self.verdict: str | None = None
        self.controls: list[tuple[str, bool]] = []
        needs = {"needs_timing_s": timing.needed_s, "timing_of": timing.edge} if timing else {}
        run.emit("check.declare", check=name, title=title or name, clauses=list(clauses), expected=expected, **needs)
        self._mistimed = timing.lacking(run.power_timing, run.dut_name) if timing else ""
        if self._mistimed:
            self._emit_verdict("Inconclusive", "", (), self._mistimed)

    @property
    def run(self) -> Run:
        """The run that this check belongs to."""
        return self._run

    @property
    def timed(self) -> bool:
        """Whether the bench times power as exactly as the check needs; False: its stimulus can be spared."""
        return not self._mistimed

    def control(self, name: str, *, ok: bool, detail: str = "", evidence: Sequence[Evidence] = ()) -> bool:
        """Shows that the stimulus reaches the device, or that the oracle would see the bad case. Returns ok."""
        self.controls.append((name, ok))
        self._run.emit("check.control", check=self.name, control=name, ok=ok, detail=detail, evidence=[item.as_json() for item in evidence])
        return ok

    def judge(self, ok: bool, *, observed: str, evidence: Sequence[Evidence] = (), reason: str = "") -> None:
        """Pass if ok and every control was, Fail if not ok."""
        if not ok:
            self.fail(observed=observed, evidence=evidence, reason=reason)
            return
        failed = [name for name, good in self.controls if not good]
        if failed or not self.controls:
            why = f"control failed: {', '.join(failed)}" if failed else "no control was shown, so a pass would prove nothing"
            self._set("Inconclusive", observed, evidence, why)
        else:
            self._set("Pass", observed, evidence, reason)

    def fail(self, *, observed: str, evidence: Sequence[Evidence] = (), reason: str = "") -> None:
        """The device did otherwise. A Fail is never taken back."""
        self._set("Fail", observed, evidence, reason)

    def inconclusive(self, reason: str, *, evidence: Sequence[Evidence] = ()) -> None:
        """The device could not be judged."""
        self._set("Inconclusive", "", evidence, reason)

    def _set(self, verdict: str, observed: str, evidence: Sequence[Evidence], reason: str) -> None:
        if self._mistimed:
            return  # neither a pass nor a fail: the power may have come or gone at another moment than the scenario believes
        if self.verdict == "Fail" or (self.verdict == "Inconclusive" and verdict == "Pass"):
            return  # never taken back by something better
        self._emit_verdict(verdict, observed, evidence, reason)

    def _emit_verdict(self, verdict: str, observed: str, evidence: Sequence[Evidence], reason: str) -> None:
        self.verdict = verdict
        self._run.emit(
            "check.verdict",
            check=self.name,
            verdict=verdict,
            reason=reason,
            expected=self.expected,
            observed=observed,
            evidence=[item.as_json() for item in evidence],
        )


class Measurement:
    """A number with its unit and limits, declared before the stimulus. Out of limits is a Fail, never recorded is Inconclusive."""

    def __init__(self, run: Run, name: str, unit: str, minimum: float | None, maximum: float | None) -> None:
        self._run = run
        self.name, self.unit, self.minimum, self.maximum = name, unit, minimum, maximum
        self.values: list[float] = []

    @property
    def has_limits(self) -> bool:
        return self.minimum is not None or self.maximum is not None

    def within(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)

    def record(self, value: float) -> bool:
        """Records a value; returns whether it lies within the limits (inclusive)."""
        self.values.append(value)
        within = self.within(value)
        self._run.emit(
            "measurement", name=self.name, unit=self.unit, minimum=self.minimum, maximum=self.maximum, value=value, within=within
        )
        return within


@dataclass
class Run:
    """What a scenario gets beside its DUT: seed, effort, checks, measurements, steps, evidence."""

    scenario: Scenario
    dut_name: str
    timeline: Timeline
    seed: int
    effort: str
    record_dir: Path
    #: What `hilcop calibrate` found of the DUT's power; None: never calibrated.
    power_timing: dict[str, Any] | None = None
    checks: list[Check] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)

    def __post_init__(self) -> None:
        #: Seeded with the run's seed and the scenario's id: the same run gives the same numbers.
        self.random = random.Random(f"{self.seed}/{self.scenario.id}")

    def emit(self, kind: str, **data: Any) -> None:
        """An event of this scenario on the timeline."""
        self.timeline.emit(f"worker-{self.dut_name}", kind, {"scenario": self.scenario.id, "dut": self.dut_name, **data})

    def check(
        self,
        name: str,
        *,
        expected: str,
        title: str = "",
        clauses: Sequence[str] = (),
        needs_timing_s: float | None = None,
        timing_of: str = "off",
    ) -> Check:
        """Declares a check before its stimulus. One that is never judged is Inconclusive.

        needs_timing_s: it means something only where the moment at which power really goes (timing_of="on": comes) is known within
        so many seconds. On a bench that `hilcop calibrate` found coarser, or that was never calibrated, it is Inconclusive whatever
        the scenario says of it; `check.timed` tells before the stimulus.
        """
        if timing_of not in ("on", "off"):
            raise ValueError(f"check {name}: timing_of is 'on' or 'off', not '{timing_of}'")
        timing = None if needs_timing_s is None else Timing(needs_timing_s, timing_of)
        check = Check(self, name, expected, title, clauses or self.scenario.clauses, timing)
        self.checks.append(check)
        return check

    def measurement(self, name: str, *, unit: str, minimum: float | None = None, maximum: float | None = None) -> Measurement:
        """Declares a measurement and its limits before the stimulus."""
        measurement = Measurement(self, name, unit, minimum, maximum)
        self.measurements.append(measurement)
        return measurement

    @contextmanager
    def step(self, text: str, *, index: int | None = None, of: int | None = None) -> Iterator[None]:
        """A step for the live progress and the timeline."""
        begin = time.monotonic()
        self.emit("step.begin", step=text, index=index, of=of, text=text)
        try:
            yield
        finally:
            self.emit("step.end", step=text, index=index, of=of, elapsed_s=time.monotonic() - begin)

    def log(self, text: str, level: str = "info") -> None:
        self.emit("log", level=level, text=text)

    def attach(self, name: str, content: str | bytes, *, media_type: str = "text/plain") -> Evidence:
        """Keeps a file under checks/<scenario>/ of the run directory."""
        path = self._folder() / Path(name).name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.attached(path, media_type=media_type)

    def path(self, name: str) -> Path:
        """Where a file is kept that others write (a capture): under checks/<scenario>/ of the run directory. Nothing is there yet: where an
        earlier attempt has taken the name it is another, usb-2.pcapng of usb.pcapng."""
        wanted = self._folder() / Path(name).name
        others = (wanted.with_stem(f"{wanted.stem}-{number}") for number in range(2, sys.maxsize))
        return next(path for path in chain([wanted], others) if not path.exists())

    def attached(self, path: Path, *, media_type: str) -> Evidence:
        """Of what was written at a path()."""
        relative = str(path.relative_to(self.record_dir.parent))
        self.emit("evidence", path=relative, media_type=media_type, text=path.name)
        return Evidence(relative, text=path.name)

    def _folder(self) -> Path:
        folder = self.record_dir.parent / "checks" / self.scenario.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def console_evidence(self, span: SpanOfConsole | tuple[int, int], text: str = "", *, console: str = "main") -> Evidence:
        """Where in the main console's recording something stands."""
        begin, end = span if isinstance(span, tuple) else (span.begin, span.end)
        return Evidence(f"console/{self.dut_name}-{console}.raw", begin, end, text)

    def finish(self) -> None:
        """What was declared and never answered is Inconclusive; a measurement out of its limits is a Fail."""
        for check in self.checks:
            if check.verdict is None:
                check.inconclusive("the scenario ended without judging this check")
        for measurement in self.measurements:
            if not measurement.has_limits:
                continue
            judged = self.check(f"measured: {measurement.name}", expected=_limits(measurement))
            judged.control("recorded", ok=bool(measurement.values), detail=f"{len(measurement.values)} values")
            worst_value = next((v for v in measurement.values if not measurement.within(v)), None)
            if not measurement.values:
                judged.inconclusive("was declared but never recorded")
            elif worst_value is not None:
                judged.fail(observed=f"{worst_value:.3f} {measurement.unit}")
            else:
                judged.judge(True, observed=f"{min(measurement.values):.3f} to {max(measurement.values):.3f} {measurement.unit}")


def _limits(measurement: Measurement) -> str:
    low = "" if measurement.minimum is None else f"at least {measurement.minimum:g} {measurement.unit}"
    high = "" if measurement.maximum is None else f"at most {measurement.maximum:g} {measurement.unit}"
    return ", ".join(part for part in (low, high) if part)
