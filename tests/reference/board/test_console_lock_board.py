# SPDX-License-Identifier: Apache-2.0
"""The console's lock: the lab's secret opens it, five wrong ones close it for a minute, to the right one too,
through power cuts and resets.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from life import unlock
from machine import Machine

FREE, WAIT_S = 5, 60
# Whole lines: what came so far could be the beginning of the other one.
CLOSED, WAITS, OPEN = r"^HT-1: console locked\n", r"^HT-1: console locked, wait\n", "^ht1# "


def try_secret(machine: Machine, secret: str) -> str:
    """What the console answers, whole."""
    machine.type(f"unlock {secret}\r")
    return machine.expect(f"{WAITS}|{CLOSED}|{OPEN}", 30).group().strip()


def try_wrong(machine: Machine, times: int) -> None:
    for number in range(times):
        assert try_secret(machine, f"WRONG-{number}") == "HT-1: console locked"


def is_refused(machine: Machine) -> None:
    assert try_secret(machine, machine.record["debug_unlock"]) == "HT-1: console locked, wait"


def leave(machine: Machine) -> None:
    machine.type("exit\r")
    machine.expect(CLOSED)


def opens(machine: Machine, seconds: float) -> float:
    """Tries until the right secret opens it; when, on the clock of time.monotonic()."""
    end = time.monotonic() + seconds
    while try_secret(machine, machine.record["debug_unlock"]) == "HT-1: console locked, wait":
        assert time.monotonic() < end, f"it did not open in {seconds} s"
        machine.listen(0.5)
    assert machine.console[: machine.seen].endswith("ht1# "), "the right secret was not taken"
    return time.monotonic()


def starts(machine: Machine) -> None:
    machine.on()
    machine.ready()
    machine.seen = 0
    machine.expect(CLOSED)


@pytest.fixture
def closed(new_machine: Callable[..., Machine]) -> Machine:
    """A unit that runs, with its console closed, and with a disk that loses what was not flushed."""
    machine = new_machine(power_loss=True)
    starts(machine)
    return machine


def test_the_right_secret_opens_it_and_a_few_wrong_ones_do_not_matter(closed: Machine) -> None:
    closed.type("id\r")  # anything but a secret is no try
    closed.expect(CLOSED)
    unlock(closed)
    leave(closed)
    for _ in range(2):  # who opens it has all tries again
        try_wrong(closed, FREE - 1)
        unlock(closed)
        leave(closed)


def by_power_cut(machine: Machine) -> None:
    machine.off()
    starts(machine)


def by_reset(machine: Machine) -> None:
    place = len(machine.console)
    machine.pins.press(True)
    machine.expect("^HT-1: factory reset done$")
    machine.pins.press(False)
    machine.ready()
    machine.seen = place
    machine.expect("^HT-1: slot ")
    machine.expect(CLOSED)


@pytest.mark.parametrize("around", [by_power_cut, pytest.param(by_reset, marks=pytest.mark.full)])
def test_five_wrong_secrets_close_it_to_the_right_one_too(around: Callable[[Machine], None], closed: Machine) -> None:
    try_wrong(closed, FREE)
    is_refused(closed)
    around(closed)
    is_refused(closed)
    assert try_secret(closed, "WRONG") == "HT-1: console locked, wait"


@pytest.mark.full
def test_tries_are_counted_through_power_cuts(closed: Machine) -> None:
    try_wrong(closed, FREE - 2)
    by_power_cut(closed)
    try_wrong(closed, 2)
    is_refused(closed)


@pytest.mark.full
def test_it_opens_after_a_minute_and_one_more_wrong_secret_closes_it_again(closed: Machine) -> None:
    try_wrong(closed, FREE - 1)
    began = time.monotonic()  # before the fifth is judged: the minute begins later
    try_wrong(closed, 1)
    is_refused(closed)
    assert opens(closed, WAIT_S + 30) - began > WAIT_S - 10
    leave(closed)
    try_wrong(closed, FREE)
    closed.off()
    closed.on()
    began = time.monotonic()
    closed.ready()
    assert opens(closed, WAIT_S + 30) - began > WAIT_S - 10
    leave(closed)
    unlock(closed)
