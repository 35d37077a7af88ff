# SPDX-License-Identifier: Apache-2.0
"""The judges of HT1-NETWORK that read a capture or a watch of ports, each with a sound device, one that is not, and each control missing
once; and the tour itself, where it cannot go on."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hilcop import scenarios
from hilcop.scanning import PortWatch
from machine import SOURCE
from scripted_bench import (
    API,
    GLOBAL,
    HELLO,
    LEASE,
    LINK_LOCAL,
    MAC,
    NEVER_OPEN,
    ScriptedBench,
    accepted_or_refused,
    nobody_listens,
    sound_day,
)

sys.path += [str(SOURCE / "boards/reference"), str(SOURCE / "tests/fakes")]
from _network_tour import CLOUD, PASSWORD, WIFI_KEY, Misbehaved, ask_over
from captures import dns, talk, udp

Change = Callable[[ScriptedBench], None]
NTP_QUESTION = b"\x23" + bytes(47)
DEVICE, CLOUDS_PLACE = (LEASE, 40_002), ("198.18.0.2", API)


@pytest.fixture
def bench(tmp_path: Path) -> ScriptedBench:
    made = ScriptedBench(tmp_path)
    made.port.status["services"]["leases"][MAC] = LEASE
    made.port.frames = sound_day()
    return made


def failed(check: scenarios.Check) -> set[str]:
    return {name for name, ok in check.controls if not ok}


def also(*frames: bytes) -> Change:
    return lambda bench: bench.port.frames.extend(frames)


def only(*frames: bytes) -> Change:
    return lambda bench: setattr(bench.port, "frames", list(frames))


def nothing(_: ScriptedBench) -> None:
    pass


# Where it went, and how it spoke.

ELSEWHERE = [udp(DEVICE, ("10.77.0.1", 53), dns("evil.example")), udp(("10.77.0.1", 53), DEVICE, dns("evil.example", "198.18.0.9"))]
POST = f"POST / HTTP/1.1\r\nHost: {CLOUD}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
READ = "goes_to_its_maker_alone", "asks_no_time", "speaks_tls_alone"


def serves_no_time(bench: ScriptedBench) -> None:
    bench.port.status["services"]["failures"] = ["NTP"]


def was_asked_the_time(bench: ScriptedBench) -> None:
    bench.port.status["services"]["ntp"]["requests"] = 1


AMONG, SERVED, NAMES, TLS, TO_BROKER = (
    "its cloud and its broker are among them",
    "the time server that it was given served all the while",
    "what it asks over UDP is read: names",
    "its TLS is among it",
    "what it said to its broker is",
)
WIRE: dict[str, tuple[str, Change, str, set[str]]] = {
    **{f"{judge}: sound": (judge, nothing, "Pass", set()) for judge in READ},
    "goes to another name": (READ[0], also(*ELSEWHERE, *talk(DEVICE, ("198.18.0.9", API), HELLO)), "Fail", set()),
    "goes to an address that nobody gave it": (READ[0], also(*talk(DEVICE, ("203.0.113.7", API), HELLO)), "Fail", set()),
    "pings an address that nobody gave it": (READ[0], also(udp(DEVICE, ("203.0.113.7", 9), b"x")), "Fail", set()),
    "speaks to the LAN": (READ[0], also(udp(DEVICE, ("10.77.0.1", 9), b"x"), udp(DEVICE, ("255.255.255.255", 68), b"x")), "Pass", set()),
    "control: its cloud is not among them": (READ[0], only(udp(DEVICE, ("10.77.0.1", 53), dns(CLOUD))), "Inconclusive", {AMONG}),
    "control: its broker is not among them": (READ[0], only(*sound_day()[:9]), "Inconclusive", {AMONG}),
    "asks the bench the time": (READ[1], was_asked_the_time, "Fail", set()),
    "asks somebody the time": (READ[1], also(udp((LEASE, 123), ("203.0.113.7", 123), NTP_QUESTION)), "Fail", set()),
    "control: the time server has failed": (READ[1], serves_no_time, "Inconclusive", {SERVED}),
    "control: nothing over UDP": (READ[1], only(*talk(DEVICE, CLOUDS_PLACE, HELLO)), "Inconclusive", {NAMES}),
    "HTTP": (READ[2], also(*talk(DEVICE, ("198.18.0.2", 80), POST)), "Fail", set()),
    "HTTP at the port of HTTPS": (READ[2], also(*talk(DEVICE, CLOUDS_PLACE, POST)), "Fail", set()),
    "MQTT": (READ[2], also(*talk(DEVICE, ("198.18.0.3", 1883), b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03ht1")), "Fail", set()),
    "something that nobody knows": (READ[2], also(udp(DEVICE, ("198.18.0.3", 7777), b"what is this")), "Fail", set()),
    "the time": (READ[2], also(udp((LEASE, 123), ("203.0.113.7", 123), NTP_QUESTION)), "Fail", set()),
    "HTTP where it had said TLS": (READ[2], also(*talk((LEASE, 40_001), CLOUDS_PLACE, POST, sequence=900_000)), "Fail", set()),
    "the bench's own HTTP": (READ[2], also(*talk(("10.77.0.1", 40_003), (LEASE, API), POST)), "Pass", set()),
    "it connects and says nothing": (READ[2], also(*talk(DEVICE, ("198.18.0.2", 80), b"")), "Pass", set()),
    "control: no TLS": (READ[2], only(*sound_day()[:4]), "Inconclusive", {TLS, TO_BROKER}),
    "control: its broker was never called": (READ[2], only(*sound_day()[:9]), "Inconclusive", {TO_BROKER}),
}


@pytest.mark.parametrize(("judge", "change", "verdict", "missing"), WIRE.values(), ids=WIRE.keys())
def test_wire(bench: ScriptedBench, judge: str, change: Change, verdict: str, missing: set[str]) -> None:
    change(bench)
    check = bench.check()
    getattr(bench.judges, judge)(bench.tour, bench.tour.network.read(), check)
    assert (check.verdict, failed(check)) == (verdict, missing)


def test_a_flow_whose_ports_served_for_two_things_is_mixed(bench: ScriptedBench) -> None:
    """The other way round as well: what was plain first is plain."""
    bench.port.frames += talk((LEASE, 40_001), CLOUDS_PLACE, POST, sequence=900_000)
    bench.port.frames += [*talk(DEVICE, CLOUDS_PLACE, POST), *talk(DEVICE, CLOUDS_PLACE, HELLO, sequence=900_000)]
    flows = [flow for flow in bench.tour.network.read().flows if flow.server.endswith(f":{API}")]
    assert [(flow.application, flow.by_content) for flow in flows] == [("mixed", False)] * 2


# Its ports.

FOUR, SIX, ASKED = "its IPv4 address answered at each port", "so did one of IPv6", "each address that it spoke as was asked"
PAUSE, FRAMED = "it was asked without a pause", f"they said no from before {API} was open until the last"


def at(address: str, port: int, **changes: Any) -> Change:
    """Of a port, or, where the port is 0, of all that are there."""

    def change(bench: ScriptedBench) -> None:
        for one in bench.port.watch["ports"]:
            if one["address"] == address and port in (0, one["port"]):
                one.update(changes)

    return change


def without(address: str) -> Change:
    def change(bench: ScriptedBench) -> None:
        bench.port.watch["ports"] = [one for one in bench.port.watch["ports"] if one["address"] != address]

    return change


def also_at(address: str, **changes: Any) -> Change:
    def change(bench: ScriptedBench) -> None:
        ports = {one["port"] for one in bench.port.watch["ports"]}
        bench.port.watch["ports"] += [accepted_or_refused(address, port, **changes) for port in sorted(ports)]

    return change


def watched(**changes: Any) -> Change:
    return lambda bench: bench.port.watch.update(changes)


def speaks_as(*addresses: str) -> Change:
    return lambda bench: bench.port.status["hosts"].update({MAC: list(addresses)})


SILENT = {**NEVER_OPEN, "answered": 0, "first_answered_ns": None, "last_answered_ns": None}
OPEN = {"open": 3, "first_open_ns": 21 * 10**9, "last_open_ns": 22 * 10**9}
LATE, EARLY = {"first_answered_ns": 23 * 10**9}, {"last_answered_ns": 87 * 10**9}
PORTS: dict[str, tuple[Change, str, set[str]]] = {
    "sound": (nothing, "Pass", set()),
    "telnet": (at(LEASE, 23, **OPEN), "Fail", set()),
    "telnet over IPv6 alone": (at(LINK_LOCAL, 23, **OPEN), "Fail", set()),
    "telnet at one more address": (lambda bench: (also_at(GLOBAL)(bench), at(GLOBAL, 23, **OPEN)(bench))[0], "Fail", set()),
    "telnet, and the watch has gaps": (lambda bench: (at(LEASE, 23, **OPEN)(bench), watched(longest_gap_s=3)(bench))[0], "Fail", {PAUSE}),
    "one more address, where nobody is": (also_at(GLOBAL, **SILENT), "Pass", set()),
    "its API is not there over IPv6": (at(LINK_LOCAL, API, **NEVER_OPEN), "Pass", set()),
    "one more address, written in another way": (speaks_as(LEASE, "fe80:0:0:0:5054:ff:fe00:1"), "Pass", set()),
    "a round later, on a busy host": (at(LEASE, 22, first_answered_ns=21 * 10**9), "Pass", set()),
    "control: a port was silent over IPv4": (at(LEASE, 22, **SILENT), "Inconclusive", {FOUR, FRAMED}),
    "control: IPv6 alone answered": (at(LEASE, 0, **SILENT), "Inconclusive", {FOUR, FRAMED}),
    "control: it has no lease": (lambda bench: bench.port.status["services"]["leases"].clear(), "Inconclusive", {FOUR, FRAMED}),
    "control: IPv6 was not asked": (without(LINK_LOCAL), "Inconclusive", {SIX, ASKED}),
    "control: IPv6 was silent": (at(LINK_LOCAL, 0, **SILENT), "Inconclusive", {SIX}),
    "control: a port was silent over IPv6": (at(LINK_LOCAL, 22, **SILENT), "Inconclusive", {SIX}),
    "control: IPv6 was asked in the end alone": (at(LINK_LOCAL, 0, asked=70), "Inconclusive", {SIX}),
    "control: IPv4 was asked in the end alone": (at(LEASE, 0, asked=70), "Inconclusive", {FOUR}),
    "control: speaks as one that was not asked": (speaks_as(LEASE, LINK_LOCAL, "192.168.1.1"), "Inconclusive", {ASKED}),
    "control: a pause": (watched(longest_gap_s=2.5), "Inconclusive", {PAUSE}),
    "control: the watch ended early": (watched(failure="no memory"), "Inconclusive", {PAUSE}),
    "control: its API was never open": (at(LEASE, API, **NEVER_OPEN), "Inconclusive", {FRAMED}),
    "control: a port answered late at first": (at(LEASE, 22, **LATE), "Inconclusive", {FRAMED}),
    "control: a port answered no more at last": (at(LEASE, 22, **EARLY), "Inconclusive", {FRAMED}),
    "control: it started once": (lambda bench: setattr(bench.tour, "starts_made", -1), "Inconclusive", {"it started twice"}),
    "control: it speaks as more than are kept": (lambda bench: bench.port.status.update(hosts_left_out=3), "Inconclusive", {ASKED}),
    "control: nothing was asked": (watched(ports=[], rounds=0), "Inconclusive", {FOUR, SIX, ASKED, FRAMED}),
}


@pytest.mark.parametrize(("change", "verdict", "missing"), PORTS.values(), ids=PORTS.keys())
def test_ports(bench: ScriptedBench, change: Change, verdict: str, missing: set[str]) -> None:
    change(bench)
    bench.tour.starts_made += 2
    watch = PortWatch(cast(Any, bench.port))
    watch.update()
    check = bench.check()
    bench.judges.opens_nothing_else(bench.tour, watch, bench.tour.starts_made, check)
    assert (check.verdict, failed(check)) == (verdict, missing)


# Its secrets.

ANSWERS, THERE, FOUND, ALL = (
    "it answers",
    "it is there to be told",
    "said in the plain, each is found",
    "all of the capture was looked through",
)


def leaks(secret: str) -> Change:
    return also(*talk(DEVICE, ("198.18.0.2", 80), f"POST / HTTP/1.1\r\nContent-Length: {len(secret)}\r\n\r\n{secret}".encode()))


def is_gone(bench: ScriptedBench) -> None:
    def connect(address: str, port: int, **_rest: Any) -> int:
        raise nobody_listens(address, port)

    bench.port.connect = connect  # type: ignore[method-assign]


def dumb(bench: ScriptedBench) -> None:
    bench.tour.page_status = None


def lost(bench: ScriptedBench) -> None:
    bench.port.dropped = 1


def not_heard(bench: ScriptedBench) -> None:
    bench.port.hear = lambda _said: None  # type: ignore[method-assign]


def was_told_no_token(bench: ScriptedBench) -> None:
    bench.tour.told_token = False


def was_told_no_token_by_a_busy_host(bench: ScriptedBench) -> None:
    bench.tour.told_token, bench.tour.untold = False, "the host was busy for 9.0 s of a start"


TOLD = "its cloud had told it the token"
SECRETS: dict[str, tuple[Change, str, set[str]]] = {
    "sound": (nothing, "Pass", set()),
    "tells its Wi-Fi key": (leaks(WIFI_KEY), "Fail", set()),
    "tells its password, and answers no more": (lambda bench: (leaks(PASSWORD)(bench), dumb(bench))[0], "Fail", {ANSWERS}),
    "control: does not answer": (dumb, "Inconclusive", {ANSWERS}),
    "control: was told no token": (was_told_no_token, "Inconclusive", {TOLD}),
    "was told no token by a busy host": (was_told_no_token_by_a_busy_host, "Inconclusive", {TOLD}),
    "control: is gone": (is_gone, "Inconclusive", {THERE}),
    "control: the capture lost something": (lost, "Inconclusive", {ALL}),
    "control: what is said in the plain is not found": (not_heard, "Inconclusive", {FOUND}),
}


@pytest.mark.parametrize(("change", "verdict", "missing"), SECRETS.values(), ids=SECRETS.keys())
def test_secrets(bench: ScriptedBench, change: Change, verdict: str, missing: set[str]) -> None:
    bench.tour.told_token = True
    change(bench)
    check = bench.check()
    bench.judges.keeps_secrets(bench.tour, check)
    assert (check.verdict, failed(check)) == (verdict, missing)


# The tour.


def goes(bench: ScriptedBench, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    monkeypatch.setattr(bench.judges, "Tour", lambda _dut, _run: bench.tour)
    bench.judges.network(bench.dut, bench.run)
    assert not bench.on
    return {check.name: check.verdict for check in bench.run.checks}


def test_a_sound_device_passes_all_of_it(bench: ScriptedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    del bench.port.status["services"]["leases"][MAC]
    begun: list[bool] = []
    changed = bench.port.on_change
    bench.port.on_change = lambda what, how: (begun.append(bench.on) if what == "watch_ports.start" else None, changed(what, how))[1]
    verdicts = goes(bench, monkeypatch)
    assert set(verdicts.values()) == {"Pass"}, verdicts
    assert len(verdicts) == 28
    assert begun == [False], "its ports are asked from when it has no power"


@pytest.mark.parametrize("wrong", ["takes no address", "hangs up at its set-up", "never calls its cloud"])
def test_where_it_cannot_go_on_the_rest_is_open(bench: ScriptedBench, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    del bench.port.status["services"]["leases"][MAC]
    if wrong == "takes no address":
        bench.takes_address = False
    elif wrong == "hangs up at its set-up":
        bench.tour.setup_status = None
    else:
        bench.port.comes = lambda _call: None  # type: ignore[method-assign]
    verdicts = goes(bench, monkeypatch)
    failing = "address" if wrong == "takes no address" else "cloud"
    assert verdicts.pop(failing) == "Fail"
    assert {verdict for name, verdict in verdicts.items() if name != "address"} == {None}


def test_a_device_that_is_dumb_after_its_set_up_fails_what_rests_on_its_page_and_no_more(
    bench: ScriptedBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    del bench.port.status["services"]["leases"][MAC]
    bench.port.on_change = lambda what, how: (dumb(bench) if what == "watch_ports.start" else None, bench.changed(what, how))[1]
    verdicts = goes(bench, monkeypatch)
    assert {name for name, verdict in verdicts.items() if verdict == "Fail"} == {"no names", "outage internet", "outage host"}
    open_ones = {name for name, verdict in verdicts.items() if verdict != "Pass"} - {"no names", "outage internet", "outage host"}
    assert open_ones == {"outage link", "outage wire", "outage gateway", "secrets", "ports"}


def test_a_capture_that_lost_something_leaves_open_what_rests_on_it(bench: ScriptedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    del bench.port.status["services"]["leases"][MAC]
    lost(bench)
    verdicts = goes(bench, monkeypatch)
    assert {name for name, verdict in verdicts.items() if verdict != "Pass"} == {"destinations", "clock", "plain", "secrets"}
    assert set(verdicts.values()) == {"Pass", "Inconclusive"}


def test_a_flood_of_calls_leaves_open_what_rests_on_all_of_them(bench: ScriptedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    del bench.port.status["services"]["leases"][MAC]
    bench.port.no_longer_kept = 1
    verdicts = goes(bench, monkeypatch)
    assert (verdicts.pop("address"), verdicts.pop("cloud")) == ("Pass", "Inconclusive")
    assert set(verdicts.values()) == {None}


# What it says when it is asked.


SAID = {"nothing": b"", "plain text": b"HTTP/1.1 200 OK\r\n\r\n{}", "garbage": b"\x16\x03\x01\xff\xff" + bytes(70_000)}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_what_makes_no_sense_is_the_devices(said: bytes) -> None:
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with theirs:
            theirs.recv(65536)
            theirs.sendall(said)

    device = threading.Thread(target=answer)
    device.start()
    ours.settimeout(10)
    with pytest.raises(Misbehaved, match="GET /api/info"):
        ask_over(ours, "GET", "/api/info")
    assert ours.fileno() == -1
    device.join()
