# SPDX-License-Identifier: Apache-2.0
"""G09-POWER-CYCLE: power cuts at chosen moments; the device must come back by itself with everything that it acknowledged."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from _device import FUNCTIONS, Device, Kept
from _hearing import deafness, holes, unheard
from _plan import CUTS, Cut, make_plan
from hilcop import (
    BootResult,
    Check,
    Console,
    DisconnectedError,
    Dut,
    Evidence,
    Measurement,
    PowerEdge,
    ProtocolError,
    Run,
    UnsupportedError,
    scenario,
    wait_until,
)


@dataclass
class Cycle:
    """State that runs through all cuts."""

    dut: Dut
    run: Run
    device: Device
    boot_time: Measurement
    kept: Kept = field(default_factory=Kept)
    lost_sectors: int = 0
    counted: bool = False  # whether the instrument says how many sectors it lost
    table: list[str] = field(default_factory=list)
    on_ns: int = 0  # when power was last switched on
    unheard: str = ""  # why the stage that the last boot lacks may have come all the same
    loses_data: bool = True  # the instrument can cut at a write and lose what was not flushed; a relay just cuts

    def begin_without_power(self) -> None:
        """A bench may leave a board on (safe_state: keep), and a boot begins with the power."""
        if self.dut.power.state() is not False:
            self.dut.power.off()

    def excuse(self, boot: BootResult) -> str:
        """Why the device is not to blame for what is wrong with this boot; empty: it is."""
        return f"the host was busy for {boot.starved_s:.1f} s" if boot.starved_only else self.unheard

    def boot(self, stage: str = "") -> tuple[BootResult, str]:
        """Powers on and boots, to the last stage or to this one; what is wrong with it, if anything."""
        self.unheard = ""
        self.on_ns = self.dut.power.on().commanded_ns
        try:
            boot = self.dut.boot_to(stage)
        except ProtocolError as died:  # a fatal watcher: the device's own doing
            return self.dut.boot_so_far(), died.cause
        if not boot.complete:
            self.unheard = unheard(self.dut.console, boot, self.dut.stages)
            return boot, f"stage '{boot.missing}' did not come"
        if not stage:
            self.boot_time.record(boot.stages[-1].elapsed_s)
        late = [f"{s.stage} {s.elapsed_s:.1f} s (limit {s.limit_s:g})" for s in boot.stages if not s.within]
        return boot, f"late: {', '.join(late)}" if late else ""

    def cut(self, cut: Cut) -> PowerEdge | tuple[BootResult, str]:
        """Brings the board to the phase and cuts its power there. Or what was wrong with the boot that was to be cut."""
        console, power, prefix = self.dut.console, self.dut.power, f"c{cut.index:03d}"
        loss: dict[str, Any] = {"loss": cut.loss, "seed": cut.seed}
        armed = cut.trigger == "disk-write" and self.loses_data
        begin = console.mark()
        if cut.phase == "boot":
            power.off()
            if cut.trigger.startswith("stage:"):
                boot, wrong = self.boot(cut.trigger.removeprefix("stage:"))
                if wrong:
                    return boot, wrong
            else:
                power.on()
        elif armed:
            try:
                power.arm_cut(trigger="disk-write", disk=self.dut.function("disk"), count=int(cut.offset), **loss)
            except UnsupportedError:
                armed = self.loses_data = False
        event_ns = time.monotonic_ns()
        if cut.phase == "data":
            self.device.start_burst(prefix)
        elif cut.phase == "config":
            self.kept.config_in_flight = f"v{cut.index}"
            self.device.start_config(self.kept.config_in_flight)
        edge = power.wait_cut(timeout_s=10) if armed else None
        fired = edge is not None
        if edge is None:
            # An armed cut that did not fire (fewer writes than planned) is made now; where none can be armed, at a time of the same dice.
            after_s = cut.offset if cut.trigger != "disk-write" else cut.offset / 100
            edge = self.off_at(time.monotonic_ns() if armed else event_ns + int(after_s * 1e9), loss)
        if cut.phase == "data":
            self.kept.records |= self.device.acknowledged(prefix, begin, console.offset)
        if cut.phase == "config" and self.device.config_acknowledged(timeout_s=0):
            self.kept.config, self.kept.config_in_flight = self.kept.config_in_flight, ""
        observed = (edge.acknowledged_ns - event_ns) / 1e9
        disks = edge.details.get("disks", [])
        self.counted |= bool(disks)
        lost = sum(disk["lost_sectors"] for disk in disks)
        self.lost_sectors += lost
        kept = sum(disk["kept_sectors"] for disk in disks)
        why = "not so many writes came" if armed else "this bench cannot cut at a write"
        note = "" if fired or cut.trigger != "disk-write" else f", {why}: cut by time"
        self.table.append(f"{cut.index}\t{cut}{note}\tobserved {observed:.3f} s\tlost {lost}\tkept {kept}")
        return edge

    def off_at(self, at_ns: int, loss: dict[str, Any]) -> PowerEdge:
        """Cuts the power at that time, or now if it has passed; with the loss, if the instrument knows any."""
        if self.loses_data:
            try:
                return self.dut.power.off_at(max(at_ns, time.monotonic_ns()), **loss)
            except UnsupportedError:
                self.loses_data = False
        return self.dut.power.off_at(max(at_ns, time.monotonic_ns()))


def echoes(console: Console, timeout_s: float) -> bool:
    """Whether the board answers what is typed; not, if the console's adapter went with its power."""
    console.mark()
    try:
        console.write("echo-control")
    except DisconnectedError:
        return False
    return console.try_expect(b"echo-control", timeout_s=timeout_s) is not None


def show_controls(cycle: Cycle, check: Check) -> None:
    """The power really is the board's: its echo stops with the power, its banner comes with it."""
    console, dut = cycle.dut.console, cycle.dut
    check.control("an echo comes while power is on", ok=echoes(console, 3))
    dut.power.off()
    check.control("no echo comes while power is off", ok=not echoes(console, 1))
    boot, wrong = cycle.boot()
    first = boot.stages[0] if boot.stages else None
    check.control(
        "the boot banner comes when power returns",
        ok=first is not None and not wrong,
        detail=wrong or "all boot stages came",
        evidence=[cycle.run.console_evidence(first, first.stage)] if first else [],
    )


@scenario(
    "G09-POWER-CYCLE",
    title="Random power cuts, clean recovery",
    clauses=["5.9-1", "5.9-2"],
    roles=["power", "console"],
    board_keys=["shell", "boot_stages", *(f"functions.{name}" for name in FUNCTIONS)],
    timeout_s={"demo": 600, "test": 900, "standard": 7200},
)
def power_cycle(dut: Dut, run: Run) -> None:
    count = CUTS[run.effort]
    boot_limit = run.measurement("boot time after a cut", unit="s")
    recovers = run.check("recovers", expected="after every cut it boots by itself, each stage within its limit")
    keeps = run.check("keeps", expected="everything acknowledged is there and whole, settings are old or new, the file system is sound")
    if run.effort != "standard":
        run.log(f"reduced effort: {count} cuts instead of {CUTS['standard']}", level="warning")
    cycle = Cycle(dut, run, Device(dut), boot_limit)
    begin = dut.console.offset
    with run.step("first boot and controls", index=0, of=count):
        cycle.begin_without_power()
        _boot, wrong = cycle.boot()
        if wrong:
            recovers.inconclusive(f"the board does not boot before any cut: {wrong}")
            keeps.inconclusive("the board does not boot before any cut")
            return
        dut.console.login()
        show_controls(cycle, recovers)
        plan = make_plan(run.random, run.effort, dut.stages)
    run.attach("plan.txt", "\n".join(str(cut) for cut in plan))
    done = 0
    evidence: list[Evidence] = []
    for cut in plan:
        with run.step(f"cut {cut.index + 1} of {count}: {cut}", index=cut.index + 1, of=count):
            dut.console.login()
            edge = cycle.cut(cut)
            if isinstance(edge, tuple):
                back, wrong = edge
            else:
                wait_until(edge.acknowledged_ns + int(cut.off_s * 1e9))
                back, wrong = cycle.boot()
                cycle.table[-1] += f"\toff {(cycle.on_ns - edge.acknowledged_ns) / 1e9:.2f} s"
            if wrong and (excuse := cycle.excuse(back)):
                recovers.inconclusive(f"after cut {cut.index + 1} ({cut}): {wrong}, but {excuse}")
                break
            if wrong:
                span = (back.begin, dut.console.offset)
                recovers.fail(observed=f"after cut {cut.index + 1} ({cut}): {wrong}", evidence=[run.console_evidence(span, wrong)])
                break
            dut.console.login()
            found = cycle.device.examine(cycle.kept)
            if found.problems:
                span = (found.begin, found.end)
                observed = f"after cut {cut.index + 1} ({cut}): {'; '.join(found.problems[:5])}"
                keeps.fail(observed=observed, evidence=[run.console_evidence(span, found.problems[0])])
                break
            done += 1
            cycle.table[-1] += f"\texamined at bytes {found.begin} to {found.end}"
            evidence = [run.console_evidence((found.begin, found.end), f"examined after cut {cut.index + 1}")]
    evidence.append(run.attach("cuts.tsv", "\n".join(cycle.table)))
    conclude(cycle, recovers, keeps, done, count, begin, evidence)


def conclude(cycle: Cycle, recovers: Check, keeps: Check, done: int, count: int, begin: int, evidence: list[Evidence]) -> None:
    """The last word: a Fail stands; a Pass needs all cuts, their effect, and a recording without holes."""
    hole, deaf = holes(cycle.dut.console, begin), deafness(cycle.dut.console, begin)
    missed = f"; {deaf}" if deaf else ""
    effect = f"{cycle.lost_sectors} sectors lost" if cycle.counted else "this bench cannot count lost sectors"
    keeps.control("cuts lost data that was not flushed", ok=cycle.lost_sectors > 0, detail=effect)
    keeps.control("records were acknowledged", ok=len(cycle.kept.records) > 0, detail=f"{len(cycle.kept.records)} records")
    for check in (recovers, keeps):
        check.control("the recording has no gap", ok=not hole, detail=hole)
        if check.verdict is None and done == count:
            check.judge(
                True,
                observed=f"{done} of {count} cuts survived, {effect}, {len(cycle.kept.records)} records kept{missed}",
                evidence=evidence,
            )
        elif check.verdict is None:
            check.inconclusive(f"ended after {done} of {count} cuts")
