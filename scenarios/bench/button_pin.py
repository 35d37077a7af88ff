# SPDX-License-Identifier: Apache-2.0
"""BENCH-BUTTON-PIN: what the bench presses reaches the device, and what the device drives reaches the bench."""

from __future__ import annotations

import time

from hilcop import Check, Dut, Reply, Run, powered, scenario

ROUNDS = {"demo": 2, "test": 5, "standard": 50}
STAYS_S = 0.1
MOST_BOUNCES = 2  # of a button as the device reads it
SETTLES_S = 3.0  # a device debounces its button, and may be asked again meanwhile; without what the host took from an emulated one


class Device:
    """The button and the pin that the board file names, as the bench and as the device see them."""

    def __init__(self, dut: Dut) -> None:
        self.dut = dut
        self.button = dut.button(dut.function("button"))
        self.pin = dut.input(dut.function("pin"))
        self.began = 0.0
        self.readings = {dut.function("button_pressed"): "pressed", dut.function("button_released"): "released"}

    def own_time(self) -> float:
        return time.monotonic() - float(self.dut.power.report().get("starved_s", 0))

    def begin(self) -> None:
        self.began = self.own_time()

    def is_over(self) -> bool:
        return self.own_time() - self.began > SETTLES_S

    def reads(self, wanted: str) -> tuple[str, Reply]:
        """What the device says of its button once it says what is wanted and stays with it, or at the end of its time."""
        self.begin()
        since, bounces = 0.0, 0
        while True:
            asked = time.monotonic()
            reply = self.dut.console.ask(self.dut.function("button_read"))
            reading = self.readings.get(reply.output.strip(), f"neither pressed nor released, but '{reply.output.strip()[:80]}'")
            if reading == wanted:
                if since and time.monotonic() - since >= STAYS_S:
                    return reading, reply
                since = since or asked
                continue
            bounces += bool(since)
            since = 0.0
            if bounces == MOST_BOUNCES:
                return f"now {wanted}, now {reading}", reply
            if self.is_over():
                return reading, reply

    def pin_becomes(self, level: bool, function: str) -> bool:
        """Has the device drive its pin by this function, again and again until the bench reads the level and it stays, or time is over."""
        self.begin()
        while True:
            self.dut.console.ask(self.dut.function(function))
            if self.pin.get() == level:
                return self.pin_stays(level) and self.pin_stays_when_told_again(level, function)
            if self.is_over():
                return False

    def pin_stays_when_told_again(self, level: bool, function: str) -> bool:
        """A pin that changes each time it is set shows the right level every other time."""
        self.dut.console.ask(self.dut.function(function))
        return self.pin_stays(level)

    def pin_stays(self, level: bool) -> bool:
        """A line that changes by itself shows every level sooner or later; what the device drives stays."""
        end = time.monotonic() + STAYS_S
        while time.monotonic() < end:
            if self.pin.get() != level:
                return False
        return True


def show_controls(device: Device, run: Run, button: Check, pin: Check) -> None:
    """The device reads its button released before anybody presses it, and the bench sees both levels of the pin."""
    reading, reply = device.reads("released")
    for check in (button, pin):
        name = "the device reads its button released before it is pressed"
        check.control(name, ok=reading == "released", detail=reading, evidence=[run.console_evidence(reply, reading)])
    for word, level, function in (("high", True, "pin_high"), ("low", False, "pin_low")):
        pin.control(f"the pin reads {word}, and stays so, when the device is told to", ok=device.pin_becomes(level, function))


def press_and_release(device: Device, run: Run, round_: int, checks: dict[str, Check]) -> list[Reply]:
    """One round. What a failed control has made unjudgeable is not in `checks`, and left alone."""
    replies = []
    for held, wanted, level in ((True, "pressed", "high"), (False, "released", "low")):
        (device.button.press if held else device.button.release)()
        what = f"round {round_}: {'held' if held else 'let go'}"
        if "button" in checks:
            reading, reply = device.reads(wanted)
            replies.append(reply)
            if reading != wanted:
                evidence = [run.console_evidence(reply, reading)]
                checks["button"].fail(observed=f"{what}, and the device reads it {reading}", evidence=evidence)
        if "pin" in checks and not device.pin_becomes(held, "pin_from_button"):
            checks["pin"].fail(observed=f"{what}, and the pin does not read {level}")
    return replies


@scenario(
    "BENCH-BUTTON-PIN",
    title="A button reaches the device, a pin reaches the bench",
    clauses=[],
    roles=["power", "console", "button", "input"],
    board_keys=[
        "boot_stages",
        "shell|repl",
        *(f"functions.button{part}" for part in ("", "_read", "_pressed", "_released")),
        *(f"functions.pin{part}" for part in ("", "_high", "_low", "_from_button")),
    ],
    timeout_s={"demo": 120, "test": 180, "standard": 600},
)
def button_pin(dut: Dut, run: Run) -> None:
    button = run.check("button", expected="the device reads its button pressed while the bench holds it, and released when not")
    pin = run.check("pin", expected="the pin, which the device sets as its button is, reads high while it is held and low when not")
    device = Device(dut)
    with powered(dut):
        boot = dut.boot_to()
        if not boot.complete:
            why = f"the board does not boot: stage '{boot.missing}' did not come"
            button.inconclusive(why)
            pin.inconclusive(why)
            return
        dut.console.login()
        begin = dut.console.offset  # nothing before is judged: a console that the board powers was deaf to its first words
        show_controls(device, run, button, pin)
        checks = {check.name: check for check in (button, pin) if all(ok for _, ok in check.controls)}
        count = ROUNDS[run.effort]
        last: list[Reply] = []
        for index in range(count if checks else 0):
            with run.step(f"press and release {index + 1} of {count}", index=index + 1, of=count):
                last = press_and_release(device, run, index + 1, checks)
            if any(check.verdict for check in checks.values()):
                break
    holes = [gap.cause for gap in dut.console.gaps_since(begin) if gap.cause != "powered_off"]
    for check in (button, pin):
        check.control("the recording has no gap", ok=not holes, detail=", ".join(holes))
        failed = [name for name, ok in check.controls if not ok]
        if check.verdict is None and failed:
            check.inconclusive(f"control failed: {', '.join(failed)}")
        elif check.verdict is None:
            evidence = [run.console_evidence(reply, reply.output.strip()) for reply in last]
            check.judge(True, observed=f"{count} times pressed and released, each seen", evidence=evidence)
