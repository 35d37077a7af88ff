# SPDX-License-Identifier: Apache-2.0
"""A bench and a unit of the reference device that do what a test says, in time that passes at once: for the judges of HT1-NETWORK.

Sound, the device takes an address, is set up, calls its cloud a second after it has power and again two seconds later, sends data to whom
it trusts and refuses the others, refuses every port but its API's, and is silent where nobody can hear it.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import hilcop
from hilcop import scenarios, worker
from hilcop.errors import make
from hilcop.network import Network
from machine import SOURCE

sys.path += [str(SOURCE / "boards/reference"), str(SOURCE / "tests/fakes")]
from _network_tour import BROKER, CLOUD, Clock, Misbehaved, Tour
from _network_wire import WATCHED
from captures import dns, talk, udp, write_pcapng

LEASE, LINK_LOCAL, GLOBAL = "10.77.0.50", "fe80::5054:ff:fe00:1", "fd77::5054:ff:fe00:1"
MAC, API = "52:54:00:00:00:01", 443
HELLO = bytes.fromhex("160301002d010000290303") + bytes(32) + bytes.fromhex("0000021301" + "0100")
REGISTERS = "POST /v1/register HTTP/1.1"


def scenario_file() -> ModuleType:
    """boards/reference/network.py, under the name that a run gives it: here there is another `network`."""
    assert not worker.load([str(SOURCE / "boards/reference/network.py")])
    return sys.modules["hilcop_scenarios.reference_network"]


class ScriptedClock(Clock):
    """Waiting is over at once."""

    def __init__(self) -> None:
        self.ns = 1_000_000_000_000

    def now_ns(self) -> int:
        self.ns += 1000
        return self.ns

    def wait(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)


@dataclass
class Call:
    """A connection of the device's; `None` as its case: no ClientHello came."""

    outcome: str
    data: str = ""
    name: str = CLOUD
    after_s: float = 1.0
    for_s: float = 0.1
    case: str | None = ""  # "": the one of the plan


NEVER_OPEN: dict[str, int | None] = {"open": 0, "first_open_ns": None, "last_open_ns": None}
PUBLISHES = Call("sent_application_data", "\\x10\\x1d\\x00\\x04MQTT...ht1/HT1-000001/state{...}", name=BROKER, after_s=2)
SENDS, REFUSES = Call("sent_application_data", REGISTERS), Call("refused_in_handshake")


def accepted_or_refused(address: str, port: int, **changes: Any) -> dict[str, Any]:
    """What a watch of 100 rounds says of a port: the device was there from its 20th second to its 90th."""
    first, last = 20 * 10**9, 90 * 10**9
    opened = {"open": 60, "first_open_ns": first, "last_open_ns": last} if port == API else NEVER_OPEN
    answered = {"asked": 98, "answered": 60, "first_answered_ns": first, "last_answered_ns": last}
    return {"address": address, "port": port, **answered, **opened, **changes}


def nobody_listens(address: str, port: int) -> hilcop.Error:
    return make("Disconnected", f"{address} port {port} of the network of dut 'unit'", "nobody listens", "", "nobody listens")


class PlainEar:
    """Takes what is said to the device, tells a test of it, and hangs up."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.heard = heard
        threading.Thread(target=self.listen, daemon=True).start()

    def fd(self) -> int:
        """Of the other end, whose owner the caller is."""
        return self.theirs.detach()

    def listen(self) -> None:
        with self.ours:
            if said := self.ours.recv(65536):
                self.heard(said)


class ScriptedNetwork:
    """What the network process answers, as far as it is asked."""

    trusted_ca = None

    def __init__(self, folder: Path, clock: ScriptedClock) -> None:
        self.clock, self.capture_file = clock, str(folder / "network" / "unit.pcapng")
        Path(self.capture_file).parent.mkdir()
        self.frames: list[bytes] = []
        self.dropped = 0
        self.calls: list[dict[str, Any]] = []
        self.no_longer_kept = 0
        self.plan = "sound"
        self.changes: list[tuple[str, dict[str, Any]]] = []
        self.outage = ""
        self.on_change: Callable[[str, dict[str, Any]], None] = lambda _what, _how: None
        self.takes: Callable[[], int] = lambda: PlainEar(self.hear).fd()
        counts = {"arrived": 0, "passed": 0, "cut": 0}
        self.status: dict[str, Any] = {
            "services": {"dhcp": {"received": 0}, "dns": {"queries": 0}, "ntp": {"requests": 0}, "leases": {}, "failures": []},
            "filter": {"dead_host": 0, "dead_internet": 0, "failure": None},
            "interception": {"turned_away": 0, "accept_failures": 0},
            "from_device": dict(counts),
            "to_device": dict(counts),
            "hosts": {MAC: [LEASE, LINK_LOCAL]},
            "hosts_left_out": 0,
            "events_lost": 0,
        }
        addresses = (LEASE, LINK_LOCAL)
        watched = [accepted_or_refused(address, port) for address in addresses for port in WATCHED]
        self.watch: dict[str, Any] = {"rounds": 100, "longest_gap_s": 0.3, "failure": None, "ports": watched}

    def ask(self, what: str, how: dict[str, Any], *, timeout_s: float) -> Any:
        assert timeout_s > 0
        if what == "status":
            return {key: {**value} if key.endswith("_device") else value for key, value in self.status.items()}
        if what == "capture.sync":
            write_pcapng(Path(self.capture_file), self.frames, dropped=None)
            return {"packets": len(self.frames), "dropped": self.dropped}
        if what in ("intercept.ended", "intercept.wait"):
            wanted = how["target"]["server_name"]
            since = [call for call in self.calls if call["accepted_ns"] >= how["since_ns"] and wanted in ("", call["name"])]
            came = [call for call in since if call["accepted_ns"] <= self.clock.ns]
            ended = [call for call in came if call["ended_ns"] <= self.clock.ns]
            if what == "intercept.ended":
                return {"connections": ended, "going": len(came) - len(ended), "no_longer_kept": self.no_longer_kept}
            nobody = {"outcome": "never_came", "case": None, "name": wanted, "cause": "no connection to it came", "data": ""}
            return ended[0] if ended else nobody
        assert what == "watch_ports.status", what
        return self.watch

    def change(self, what: str, how: dict[str, Any], *, timeout_s: float) -> Any:
        assert timeout_s > 0
        self.changes.append((what, how))
        if what == "intercept.plan":
            (self.plan,) = how["cases"]
        if what == "cut":
            self.outage = "wire" if how["cut"] else ""
        if what == "outage":
            self.outage = how["what"] if how["on"] else ""
        self.on_change(what, how)
        return self.watch if what == "watch_ports.stop" else {}

    def set_link(self, up: bool, *, timeout_s: float) -> None:
        assert timeout_s > 0
        self.outage = "" if up else "link"

    def connect(self, address: str, port: int, *, timeout_s: float) -> int:
        if self.outage in ("link", "wire", "gateway"):
            self.clock.wait(timeout_s)
            if self.outage == "wire":
                self.status["to_device"]["cut"] += 1
            elif self.outage == "link":
                self.status["to_device"]["arrived"] += 1
                self.status["to_device"]["passed"] += 1
            raise make("Timeout", f"{address} port {port} of the network of dut 'unit'", "nothing answers", "", "nothing answers")
        return self.takes()

    def hear(self, said: bytes) -> None:
        """What was said to the device is in the capture."""
        self.frames += talk(("10.77.0.1", 50_000), (LEASE, API), said)

    def comes(self, call: Call) -> None:
        accepted = self.clock.ns + int(call.after_s * 1e9)
        case = self.plan if call.case == "" else call.case
        told = {"outcome": call.outcome, "case": case, "name": call.name, "cause": "as the test says", "data": call.data}
        self.calls.append({**told, "accepted_ns": accepted, "ended_ns": accepted + int(call.for_s * 1e9)})


class ScriptedTour(Tour):
    """The page answers as the test says; of what else it is asked, it is set up alone."""

    setup_status: int | None = 201  # None: it hangs up
    page_status: int | None = 200

    def ask(self, method: str, path: str, _body: Any = None) -> tuple[int, Any]:
        status = self.setup_status if method == "POST" else self.page_status
        if status is None:
            raise Misbehaved(f"{method} {path}: it hung up")
        if status == 201:
            cast(ScriptedNetwork, self.network._port).comes(SENDS)
        return status, None


class ScriptedBench:
    """One unit on its network, and the run of HT1-NETWORK that it is judged in."""

    def __init__(self, folder: Path) -> None:
        self.clock = ScriptedClock()
        self.port = ScriptedNetwork(folder, self.clock)
        self.on = False
        self.boots = SimpleNamespace(complete=True, begin=0, missing="ready", starved_only=False, starved_s=0.0)
        self.starved_s = 0.0
        self.takes_address = True
        self.calls: dict[str, list[Call]] = {}  # by what it meets; what is not said is sound
        self.on_power: Callable[[], None] = lambda: None
        self.port.on_change = self.changed
        power = SimpleNamespace(on=self.power_on, off=self.power_off, report=lambda: {"starved_s": self.starved_s})
        self.dut = SimpleNamespace(
            power=power,
            console=SimpleNamespace(offset=0),
            network=Network(cast(Any, self.port)),
            unit_record={"setup_secret": "SETUPSECRET2", "mac": MAC},
            boot_to=lambda: self.boots,
        )
        module = scenario_file()
        timeline = hilcop.Timeline(file=str(folder / "timeline" / "w.ndjson"))
        self.run = scenarios.Run(scenarios.REGISTRY["HT1-NETWORK"], "unit", timeline, 1, "demo", folder / "console")
        self.tour = ScriptedTour(cast(Any, self.dut), self.run, self.clock)
        self.judges = module

    def check(self) -> scenarios.Check:
        return self.run.check("the one", expected="what it must")

    def power_off(self) -> None:
        self.on = False

    def power_on(self) -> None:
        self.on = True
        services = self.port.status["services"]
        services["dhcp"]["received"] += 1
        if self.takes_address and not self.no_answer():
            services["leases"][MAC] = LEASE
        # Who gives no names, or is cut off, is asked and not reached.
        if self.names_fail():
            services["dns"]["queries"] += 1
        elif self.port.outage in ("internet", "host"):
            self.port.status["filter"]["dead_host" if self.port.outage == "host" else "dead_internet"] += 1
        else:
            self.calls_home()
        self.on_power()

    def calls_home(self) -> None:
        faults = [REFUSES, Call(REFUSES.outcome, after_s=3.0)]
        for call in self.calls.get(self.port.plan, [SENDS] if self.port.plan == "sound" else faults):
            self.port.comes(call)
        if self.last("intercept.answers").get("answers"):
            for call in self.calls.get("broker", [PUBLISHES]):
                self.port.comes(call)

    def last(self, what: str) -> dict[str, Any]:
        return next((how for told, how in reversed(self.port.changes) if told == what), {})

    def no_answer(self) -> bool:
        return bool(self.last("dhcp").get("no_answer"))

    def names_fail(self) -> bool:
        told = [what for what, _ in self.port.changes if what in ("dns.rule", "dns.clear")]
        return told[-1:] == ["dns.rule"]

    def changed(self, what: str, how: dict[str, Any]) -> None:
        """What the device does as the network changes: it takes an address that it is given, and calls again."""
        if what == "dhcp" and self.on and self.takes_address and not how.get("no_answer"):
            self.port.status["services"]["leases"][MAC] = LEASE
        ends = what in ("dns.clear", "outage") and not how.get("on")
        if self.on and (what == "intercept.plan" or ends):
            self.calls_home()


def sound_day() -> list[bytes]:
    """A capture of a sound device: it asks for the addresses of its cloud and its broker, and says something there under TLS."""
    names = []
    for number, (name, address) in enumerate({CLOUD: "198.18.0.2", BROKER: "198.18.0.3"}.items()):
        asks = (LEASE, 39_000 + number)
        names += [udp(asks, ("10.77.0.1", 53), dns(name)), udp(("10.77.0.1", 53), asks, dns(name, address))]
    return [*names, *talk((LEASE, 40_001), ("198.18.0.2", API), HELLO), *talk((LEASE, 40_004), ("198.18.0.3", 8883), HELLO)]
