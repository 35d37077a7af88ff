# SPDX-License-Identifier: Apache-2.0
"""Each judge of HT1-NETWORK that meddles with the network: a sound device, one that is not, and each control missing once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hilcop
import pytest
from hilcop.errors import make
from scripted_bench import BROKER, CLOUD, LEASE, MAC, REFUSES, SENDS, Call, ScriptedBench, nobody_listens

Change = Callable[[ScriptedBench], None]


@pytest.fixture
def bench(tmp_path: Path) -> ScriptedBench:
    return ScriptedBench(tmp_path)


def judged(bench: ScriptedBench, judge: str, *words: Any) -> tuple[str | None, set[str]]:
    """The verdict, and the controls that failed."""
    check = bench.check()
    getattr(bench.judges, judge)(bench.tour, *words, check)
    return check.verdict, {name for name, ok in check.controls if not ok}


def put(name: str, value: Any) -> Change:
    """At the end of a path: "port.status.events_lost"."""
    *path, last = name.split(".")

    def change(bench: ScriptedBench) -> None:
        at: Any = bench
        for step in path:
            at = at[step] if isinstance(at, dict) else getattr(at, step)
        if isinstance(at, dict):
            at[last] = value
        else:
            setattr(at, last, value)

    return change


def under(case: str, *calls: Call) -> Change:
    return lambda bench: bench.calls.update({case: list(calls)})


def does_not_boot(bench: ScriptedBench) -> None:
    bench.boots.complete = False


def does_not_boot_on_a_busy_host(bench: ScriptedBench) -> None:
    bench.boots.complete, bench.boots.starved_only, bench.boots.starved_s = False, True, 9.0


IS_DUMB = put("tour.page_status", None)
BUSY = put("starved_s", 9.0)


def all_of(*changes: Change) -> Change:
    def change(bench: ScriptedBench) -> None:
        for one in changes:
            one(bench)

    return change


def has_address(bench: ScriptedBench) -> None:
    bench.port.status["services"]["leases"][MAC] = LEASE


# An address.


def takes_one_that_nobody_gave(bench: ScriptedBench) -> None:
    bench.on_power = lambda: has_address(bench)


def asks_for_none(bench: ScriptedBench) -> None:
    bench.on_power = lambda: bench.port.status["services"]["dhcp"].update(received=0)


ASKED = "it asked, and got nothing"
ADDRESS: dict[str, tuple[Change, str, set[str]]] = {
    "sound": (lambda _: None, "Pass", set()),
    "takes none": (put("takes_address", False), "Fail", set()),
    "takes none on a busy host": (all_of(put("takes_address", False), BUSY), "Inconclusive", set()),
    "takes none of a server that failed": (
        all_of(put("takes_address", False), put("port.status.services.failures", ["DHCP"])),
        "Inconclusive",
        set(),
    ),
    "its page is dumb": (IS_DUMB, "Fail", set()),
    "it does not boot": (does_not_boot, "Fail", set()),
    "it does not boot on a busy host": (does_not_boot_on_a_busy_host, "Inconclusive", set()),
    "control: has one already": (takes_one_that_nobody_gave, "Inconclusive", {ASKED}),
    "control: nobody asked": (asks_for_none, "Inconclusive", {ASKED}),
}


@pytest.mark.parametrize(("change", "verdict", "failed"), ADDRESS.values(), ids=ADDRESS.keys())
def test_address(bench: ScriptedBench, change: Change, verdict: str, failed: set[str]) -> None:
    change(bench)
    check = bench.check()
    back = bench.judges.takes_an_address(bench.tour, check)
    assert (check.verdict, {name for name, ok in check.controls if not ok}) == (verdict, failed)
    assert back or verdict != "Pass"


# Set-up.

SET_UP: dict[str, tuple[Change, str, set[str]]] = {
    "sound": (lambda _: None, "Pass", set()),
    "hangs up": (put("tour.setup_status", None), "Fail", set()),
    "hangs up on a busy host": (all_of(put("tour.setup_status", None), BUSY), "Inconclusive", set()),
    "control: does not know its owner": (put("tour.setup_status", 403), "Inconclusive", {"its owner's secret sets it up"}),
    "never calls": (lambda bench: setattr(bench.port, "comes", lambda _: None), "Fail", {"the connection was the sound one"}),
    "control: meets a fault": (put("port.plan", "expired"), "Inconclusive", {"the connection was the sound one"}),
    "says something else": (
        lambda bench: setattr(bench.tour, "hears_its_cloud", lambda _: bench.tour.tls._made(said(bench, "GET /"))),
        "Fail",
        set(),
    ),
}


def said(bench: ScriptedBench, data: str) -> dict[str, Any]:
    bench.port.comes(Call(SENDS.outcome, data))
    return bench.port.calls[-1]


@pytest.mark.parametrize(("change", "verdict", "failed"), SET_UP.values(), ids=SET_UP.keys())
def test_set_up(bench: ScriptedBench, change: Change, verdict: str, failed: set[str]) -> None:
    has_address(bench)
    change(bench)
    assert judged(bench, "is_set_up") == (verdict, failed)


# Its broker.

IN_CLEAR = Call("not_tls", "\\x10\\x1d\\x00\\x04MQTT", name=BROKER)
ANSWERED = "it registered, and was answered"
CALLS_IT: dict[str, tuple[Change, str, set[str]]] = {
    "sound": (lambda _: None, "Pass", set()),
    "never calls it": (under("broker"), "Fail", set()),
    "never calls it on a busy host": (all_of(under("broker"), BUSY), "Inconclusive", set()),
    "refuses it": (under("broker", Call(REFUSES.outcome, name=BROKER)), "Fail", set()),
    "says something else": (under("broker", Call("sent_application_data", "ping", name=BROKER)), "Fail", set()),
    "does not boot": (does_not_boot, "Fail", set()),
    "without TLS": (under("broker", IN_CLEAR), "Inconclusive", set()),
    "control: did not register": (under("sound"), "Inconclusive", {ANSWERED}),
    "control: said something else to its cloud": (under("sound", Call(SENDS.outcome, "GET /time")), "Inconclusive", {ANSWERED}),
}


@pytest.mark.parametrize(("change", "verdict", "failed"), CALLS_IT.values(), ids=CALLS_IT.keys())
def test_broker(bench: ScriptedBench, change: Change, verdict: str, failed: set[str]) -> None:
    has_address(bench)
    change(bench)
    assert judged(bench, "calls_its_broker") == (verdict, failed)
    (answer,) = bench.last("intercept.answers")["answers"]
    assert (answer["server_name"], answer["path"]) == (CLOUD, "/v1/register")


# Names.


def reaches_somebody(for_s: float) -> Change:
    def change(bench: ScriptedBench) -> None:
        def calls_all_the_same() -> None:
            if bench.names_fail() or bench.port.outage:
                bench.port.comes(Call(REFUSES.outcome, after_s=0, for_s=for_s))

        bench.on_power = calls_all_the_same

    return change


def asks_no_names(bench: ScriptedBench) -> None:
    bench.on_power = lambda: bench.port.status["services"]["dns"].update(queries=0)


REACHED = {f"{kind}: it asked, and reached nobody" for kind in ("servfail", "silence")}
NAMES: dict[str, tuple[Change, str, set[str]]] = {
    "sound": (lambda _: None, "Pass", set()),
    "its page is dumb": (IS_DUMB, "Fail", set()),
    "its page is dumb on a busy host": (all_of(IS_DUMB, BUSY), "Inconclusive", set()),
    "does not boot": (does_not_boot, "Fail", set()),
    "never calls again": (under("sound"), "Fail", set()),
    "control: asks for no name": (asks_no_names, "Inconclusive", REACHED),
    "control: reaches somebody": (reaches_somebody(for_s=0.1), "Inconclusive", REACHED),
    "control: still talks to somebody": (reaches_somebody(for_s=50), "Inconclusive", REACHED),
}


@pytest.mark.parametrize(("change", "verdict", "failed"), NAMES.values(), ids=NAMES.keys())
def test_names(bench: ScriptedBench, change: Change, verdict: str, failed: set[str]) -> None:
    has_address(bench)
    change(bench)
    assert judged(bench, "lives_without_names") == (verdict, failed)
    assert not bench.names_fail(), "names are sound again, however it ended"


# False servers.

TOLD_AGAIN, SHOWN = "with a sound certificate its cloud is told again", "it was shown the fault 2 times"
TO_ITS_END, TOOK_ALL = "what it said was heard to its end", "the bench took each connection"
LATER = Call(REFUSES.outcome, after_s=3.0)


def turns_one_away(bench: ScriptedBench) -> None:
    bench.on_power = lambda: bench.port.status["interception"].update(turned_away=1)


CASES: dict[str, tuple[Change, str, set[str]]] = {
    "sound": (lambda _: None, "Pass", set()),
    "refuses after the handshake": (
        under("expired", Call("refused_after_handshake"), Call("refused_after_handshake", after_s=3)),
        "Pass",
        set(),
    ),
    "accepts": (under("expired", SENDS), "Fail", {SHOWN}),
    "accepts when it calls again": (under("expired", REFUSES, Call(SENDS.outcome, "token", after_s=3)), "Fail", set()),
    "another host's client accepts": (
        under("expired", REFUSES, LATER, Call(SENDS.outcome, "token", "mqtt.ht1.example")),
        "Fail",
        set(),
    ),
    "accepts, and says so late": (under("expired", REFUSES, LATER, Call(SENDS.outcome, "token", after_s=3, for_s=40)), "Fail", set()),
    "control: one goes on for ever": (
        under("expired", REFUSES, LATER, Call(SENDS.outcome, "token", after_s=3, for_s=900)),
        "Inconclusive",
        {TO_ITS_END},
    ),
    "control: shown once": (under("expired", REFUSES), "Inconclusive", {SHOWN}),
    "control: the second time another host's": (
        under("expired", REFUSES, Call(REFUSES.outcome, name="mqtt.ht1.example", after_s=3)),
        "Inconclusive",
        {SHOWN},
    ),
    "never calls": (under("expired"), "Inconclusive", {SHOWN}),
    "control: refuses its own cloud too": (under("sound", REFUSES), "Inconclusive", {TOLD_AGAIN}),
    "control: the bench turned one away": (turns_one_away, "Inconclusive", {TOOK_ALL}),
    "says nothing after the handshake": (under("expired", REFUSES, LATER, Call("completed_sent_nothing")), "Inconclusive", set()),
    "is not testable": (under("expired", Call("not_testable"), Call("not_testable", after_s=3)), "Inconclusive", set()),
    "says it in the plain": (under("expired", REFUSES, LATER, Call("not_tls", "token", case=None)), "Inconclusive", set()),
    "says it in the plain, later": (under("sound", SENDS, Call("not_tls", "token", case=None)), "Pass", set()),
    "drops a connection unused": (under("expired", Call("not_judged", case=None), REFUSES, LATER), "Pass", set()),
    "floods the bench": (put("port.no_longer_kept", 7), "Inconclusive", set()),
    "does not boot": (does_not_boot, "Fail", set()),
}


@pytest.mark.parametrize(("change", "verdict", "failed"), CASES.values(), ids=CASES.keys())
def test_false_server(bench: ScriptedBench, change: Change, verdict: str, failed: set[str]) -> None:
    has_address(bench)
    bench.power_on()
    change(bench)
    check = bench.check()
    with bench.judges.judging(check):
        bench.judges.tells_nobody_else(bench.tour, "expired", check)
    assert (check.verdict, {name for name, ok in check.controls if not ok}) == (verdict, failed)
    assert bench.port.plan == "sound"


def test_a_connection_that_stood_when_the_plan_changed_may_be_given_the_fault(bench: ScriptedBench) -> None:
    bench.port.comes(Call(SENDS.outcome, "token", case="expired", after_s=0, for_s=30))
    assert judged(bench, "tells_nobody_else", "expired") == ("Fail", set())


def test_a_disk_that_is_full_is_no_flood(bench: ScriptedBench) -> None:
    with pytest.raises(hilcop.ExhaustedError), bench.judges.judging(bench.check()):
        raise make("Exhausted", "capture", "the disk is full", "make room", "the disk is full")


# Outages.


def is_reached(bench: ScriptedBench) -> None:
    """Whoever is asked in an outage answers, as if there were none."""
    bench.port.connect = lambda *_words, **_rest: bench.port.takes()  # type: ignore[method-assign]


def refuses(bench: ScriptedBench) -> None:
    def connect(address: str, port: int, **_rest: Any) -> int:
        raise nobody_listens(address, port)

    bench.port.connect = connect  # type: ignore[method-assign]


def counts(**grow: int) -> Change:
    """Whenever it is connected to in an outage: from_passed=1."""

    def change(bench: ScriptedBench) -> None:
        asked = bench.port.connect

        def connect(*words: Any, **rest: Any) -> int:
            for name, more in grow.items():
                way, what = name.split("_")
                bench.port.status["from_device" if way == "from" else "to_device"][what] += more
            return asked(*words, **rest)

        bench.port.connect = connect  # type: ignore[method-assign]

    return change


def stays_dumb(bench: ScriptedBench) -> None:
    bench.port.on_change = lambda _what, _how: IS_DUMB(bench)


NOBODY, NOTHING = "nobody reached it for 5 s", "nothing passed"
CUT_OFF: dict[str, tuple[str, Change, str, set[str]]] = {
    **{f"sound: {what}": (what, lambda _: None, "Pass", set()) for what in ("link", "wire", "gateway")},
    "control: did not answer before": ("wire", IS_DUMB, "Inconclusive", {"it answers before"}),
    "stays dumb": ("wire", stays_dumb, "Fail", set()),
    "stays dumb on a busy host": ("wire", all_of(stays_dumb, BUSY), "Inconclusive", set()),
    "control: it was reached": ("link", is_reached, "Inconclusive", {NOBODY, NOTHING}),
    "control: it was there to refuse": ("gateway", refuses, "Inconclusive", {NOBODY}),
    "control: a frame came from it": ("link", counts(from_arrived=1), "Inconclusive", {NOTHING}),
    "control: a frame came from it, and was cut": ("link", counts(from_cut=1), "Inconclusive", {NOTHING}),
    "it speaks, and nobody hears it": ("wire", counts(from_cut=1), "Pass", set()),
    "control: a frame passed from it": ("wire", counts(from_arrived=1, from_passed=1), "Inconclusive", {NOTHING}),
    "control: a frame passed to it": ("wire", counts(to_arrived=1, to_passed=1), "Inconclusive", {NOTHING}),
    "it speaks to nobody": ("gateway", counts(from_arrived=1, from_passed=1), "Pass", set()),
    "control: a frame came from the gateway": ("gateway", counts(to_arrived=1), "Inconclusive", {NOTHING}),
}


@pytest.mark.parametrize(("what", "change", "verdict", "failed"), CUT_OFF.values(), ids=CUT_OFF.keys())
def test_outage(bench: ScriptedBench, what: str, change: Change, verdict: str, failed: set[str]) -> None:
    has_address(bench)
    change(bench)
    begin = bench.clock.ns
    assert judged(bench, "comes_back_after", what) == (verdict, failed)
    assert bench.port.outage == ""
    assert verdict != "Pass" or bench.clock.ns - begin >= 5_000_000_000


def test_a_bench_whose_own_process_is_silent_is_no_outage(bench: ScriptedBench) -> None:
    def connect(*_words: Any, **_rest: Any) -> int:
        raise make("Timeout", "network of dut 'unit'", "did not answer 'connect' in time", "", "did not answer 'connect' in time")

    has_address(bench)
    bench.port.connect = connect  # type: ignore[method-assign]
    with pytest.raises(hilcop.TimeoutError):
        bench.judges.reachable(bench.tour)


# Outages that it starts in.


def tries_nothing(bench: ScriptedBench) -> None:
    bench.on_power = lambda: bench.port.status["filter"].update(dead_host=0, dead_internet=0)


HELD = "it tried, and reached nobody"
DEAD: dict[str, tuple[str, Change, str, set[str]]] = {
    "sound: internet": ("internet", lambda _: None, "Pass", set()),
    "sound: host": ("host", lambda _: None, "Pass", set()),
    "its page is dumb": ("internet", IS_DUMB, "Fail", set()),
    "its page is dumb on a busy host": ("internet", all_of(IS_DUMB, BUSY), "Inconclusive", set()),
    "never calls again": ("host", under("sound"), "Fail", set()),
    "never calls again, as the bench lost events": (
        "host",
        all_of(under("sound"), put("port.status.events_lost", 3)),
        "Inconclusive",
        set(),
    ),
    "never calls again, as the bench turned one away": ("host", all_of(under("sound"), turns_one_away), "Inconclusive", set()),
    "does not boot": ("host", does_not_boot, "Fail", set()),
    "control: tried nothing": ("internet", tries_nothing, "Inconclusive", {HELD}),
    "control: reached its cloud": ("host", reaches_somebody(for_s=0.1), "Inconclusive", {HELD}),
    "control: still talks to its cloud": ("host", reaches_somebody(for_s=50), "Inconclusive", {HELD}),
}


@pytest.mark.parametrize(("what", "change", "verdict", "failed"), DEAD.values(), ids=DEAD.keys())
def test_outage_that_it_starts_in(bench: ScriptedBench, what: str, change: Change, verdict: str, failed: set[str]) -> None:
    has_address(bench)
    change(bench)
    assert judged(bench, "lives_through", what) == (verdict, failed)
    assert bench.port.outage == ""
