# SPDX-License-Identifier: Apache-2.0
"""HT1-LIFE: the reference device through its life on a bench without a network: it starts, is cut off, closed to strangers, and reset."""

from __future__ import annotations

from hilcop import Check, Dut, Run, powered, scenario

CUTS = {"demo": 2, "test": 4, "standard": 20}
CUT_WITHIN_S = 6.0  # of a start: anywhere in it
HOLD_S, SHORT_S = 6.0, 2.0  # the device asks for 5
WHAT_A_STRANGER_TYPES = ("id -u", "unlock WRONGWRONGWRONG2", "id -u")
MOST_STARVED_S = 10.0  # of the 60 s for each of two things that take some seconds
ROOT = r"^0\r?$"


def starts(dut: Dut, run: Run, check: Check, what: str) -> bool:
    boot = dut.boot_to()
    evidence = [run.console_evidence((0, dut.console.offset))]
    if boot.complete:
        return True
    if boot.starved_only:
        check.inconclusive(f"{what}: the host was busy for {boot.starved_s:.1f} s", evidence=evidence)
    else:
        check.fail(observed=f"{what}: stage '{boot.missing}' did not come", evidence=evidence)
    return False


def is_cut_off(dut: Dut, run: Run, check: Check) -> None:
    """Power goes at moments of a start chosen by the seed; with each failed start a slot has a try less, and there are two."""
    early, begin = 0, dut.console.mark()
    for number in range(CUTS[run.effort]):
        with run.step(f"cut {number + 1} of {CUTS[run.effort]}", index=number + 1, of=CUTS[run.effort]):
            dut.power.off()
            edge = dut.power.on()
            dut.power.off_at(edge.acknowledged_ns + int(run.random.uniform(0.1, CUT_WITHIN_S) * 1e9))
            early += not dut.boot_so_far().complete
            dut.power.on()
            if not starts(dut, run, check, f"after cut {number + 1}"):
                return
    check.control("a start was cut before it was over", ok=early > 0, detail=f"{early} of {CUTS[run.effort]}")
    evidence = [run.console_evidence((begin, dut.console.offset))]
    check.judge(True, observed=f"{CUTS[run.effort]} starts cut off, each followed by a whole one", evidence=evidence)


def heard_all(dut: Dut, check: Check, begin: int) -> None:
    """What did not come counts only where nothing could be missed."""
    holes = [gap.cause for gap in dut.console.gaps_since(begin)]
    check.control("the recording has no gap", ok=not holes, detail=", ".join(holes))


def is_closed(dut: Dut, run: Run, check: Check) -> None:
    """What a stranger at the console gets. The lock answers each line, which shows that it was heard, and by whom."""
    begin = dut.console.mark()
    answers = []
    for line in WHAT_A_STRANGER_TYPES:
        dut.console.write_line(line)
        answers.append(dut.console.try_expect(["^HT-1: console locked", ROOT], timeout_s=30))
    evidence = [run.console_evidence((begin, dut.console.offset))]
    check.control("each line was answered", ok=all(answers), evidence=evidence)
    heard_all(dut, check, begin)
    root = any(answer and answer.pattern == 1 for answer in answers)
    check.judge(not root, observed="a root shell" if root else "refused", evidence=evidence)


def is_reset(dut: Dut, run: Run, check: Check) -> None:
    button = dut.button("reset")
    begin = dut.console.mark()
    button.hold(SHORT_S)
    early = dut.console.try_expect("^HT-1: factory reset", timeout_s=HOLD_S - SHORT_S)
    check.control("a button held too short does nothing", ok=early is None)
    heard_all(dut, check, begin)
    button.hold(HOLD_S)
    done = dut.console.try_expect("^HT-1: factory reset done", timeout_s=60)
    back = done and dut.console.try_expect("^HT-1: READY version", timeout_s=60)
    evidence = [run.console_evidence((begin, dut.console.offset))]
    if not back and (busy := float(dut.power.report().get("starved_s", 0))) > MOST_STARVED_S:
        check.inconclusive(f"the host was busy for {busy:.1f} s", evidence=evidence)
        return
    check.judge(back is not None, observed="erased, and ready to be set up" if back else "no reset that ends in a start", evidence=evidence)


@scenario(
    "HT1-LIFE",
    title="The reference device through its life",
    clauses=[],
    roles=["power", "console", "button"],
    board_keys=["boot_stages"],
    timeout_s={"demo": 300, "test": 420, "standard": 1800},
)
def life(dut: Dut, run: Run) -> None:
    recovers = run.check("recovers", expected="after its power went in the middle of a start it starts again")
    closed = run.check("closed", expected="nobody gets a shell at its console without the unit's secret")
    reset = run.check("reset", expected="its button, held long enough, and not shorter, erases it; then it is ready again")
    with powered(dut):
        if not starts(dut, run, recovers, "the first start"):
            return
        is_closed(dut, run, closed)
        is_reset(dut, run, reset)
        is_cut_off(dut, run, recovers)
