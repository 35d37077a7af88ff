# SPDX-License-Identifier: Apache-2.0
"""One unit of the reference device on its tour through HT1-NETWORK, and what every part of that does with it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hilcop
from hilcop import Check, Dut, Evidence, Run
from hilcop.interception import Intercepted, Interception
from hilcop.network import Network

CLOUD, BROKER, API = "cloud.ht1.example", "mqtt.ht1.example", 443
MOST_STARVED_S = 5.0
MOST_ANSWER = 1 << 20
PASSWORD, WIFI_KEY, TOKEN = "canary of an owner 1", "canary-wifi-key-7716", "canary-token-93ad51f7c0"
POLL_S = 0.2


class Misbehaved(Exception):
    """The device is not there, hangs up, or says what makes no sense: a check is judged by it. What the bench fails at is hilcop.Error."""


class Clock:
    """The steady one; a test has its own."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def wait(self, seconds: float) -> None:
        hilcop.wait_until(self.now_ns() + int(seconds * 1e9))


def ask_over(line: socket.socket, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The device's API, as its owner's browser asks, whom its certificate does not concern here. Raises Misbehaved."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("device")
    try:
        connection.sock = context.wrap_socket(line)
        connection.request(method, path, None if body is None else json.dumps(body))
        reply = connection.getresponse()
        text = reply.read(MOST_ANSWER)
        return reply.status, json.loads(text) if text else None
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise Misbehaved(f"{method} {path}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()
        line.close()  # where there was no handshake


def ask(network: Network, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The same of whoever alone was given an address there."""
    return ask_over(network.connect(network.address(), API, timeout_s=30), method, path, body)


@contextmanager
def judging(check: Check) -> Iterator[None]:
    """A device that calls so often that the bench no longer has all of it is not judged by the rest, and the tour goes on."""
    try:
        yield
    except hilcop.ExhaustedError as error:
        if error.object != "TLS interception":
            raise
        check.inconclusive(str(error))


class Tour:
    """One unit, and what every part of the tour does with it."""

    def __init__(self, dut: Dut, run: Run, clock: Clock | None = None) -> None:
        self.dut, self.run, self.network, self.clock = dut, run, dut.network, clock or Clock()
        self.secrets = {"set-up secret": dut.unit_record["setup_secret"], "password": PASSWORD, "Wi-Fi key": WIFI_KEY, "token": TOKEN}
        self.tls: Interception = self.network.intercept(ports="all")
        self.told_token, self.untold = False, ""  # by its cloud, which is the bench; why not, where that is no fault of the device's
        self.busy = ""  # why the last start is judged by nobody
        self.starts_made = 0

    def until(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        end = self.clock.now_ns() + int(timeout_s * 1e9)
        while not is_so():
            if self.clock.now_ns() > end:
                return False
            self.clock.wait(POLL_S)
        return True

    def starts(self, check: Check) -> int | None:
        """Power off and on; when it began (steady clock), or None, and the check is judged."""
        self.dut.power.off()
        begin = self.clock.now_ns()
        self.dut.power.on()
        boot = self.dut.boot_to()
        if boot.complete:
            self.starts_made += 1
            return begin
        evidence = [self.run.console_evidence((boot.begin, self.dut.console.offset))]
        if boot.starved_only:
            self.busy = f"the host was busy for {boot.starved_s:.1f} s of a start"
            check.inconclusive(self.busy, evidence=evidence)
        else:
            check.fail(observed=f"stage '{boot.missing}' of a start did not come", evidence=evidence)
        return None

    def excuse(self) -> str:
        """Why what the device did not do in time is no fault of its own: the host was busy (of an emulated board), or a service of the
        bench's has failed, or it lost events or refused connections, in a flood or for lack of room; empty: none of these."""
        busy = float(self.dut.power.report().get("starved_s", 0))
        if busy > MOST_STARVED_S:
            return f"the host was busy for {busy:.1f} s of this start"
        status = self.network.status()
        if lost := status["events_lost"]:
            return f"the bench lost {lost} of its own events: not all that happened was seen"
        if flood := status["filter"].get("uplink_flood"):
            return f"the bench refused {flood} packets of too many connections at once"
        if away := self.turned_away():
            return f"the bench turned {away} connections away"
        failures = status["services"]["failures"]
        return f"the bench failed: {failures}" if failures else ""

    def lease(self) -> str:
        """Its IPv4 address; empty: it took none."""
        leases = self.network.status()["services"]["leases"]
        return leases.get(self.dut.unit_record["mac"], "")

    def connect(self, timeout_s: float) -> socket.socket:
        """To its API, in the plain. Raises Misbehaved, from the error that says why."""
        address = self.lease()
        if not address:
            raise Misbehaved("it has no address")
        try:
            return self.network.connect(address, API, timeout_s=timeout_s)
        except (hilcop.TimeoutError, hilcop.DisconnectedError, hilcop.NotFoundError) as error:
            if not error.object.startswith(f"{address} port"):
                raise  # it is the bench's own process that does not answer
            raise Misbehaved(str(error)) from error

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Of its API. Raises Misbehaved."""
        return ask_over(self.connect(timeout_s=30), method, path, body)

    def answers(self) -> bool:
        """Whether its page answers on the LAN."""
        try:
            return self.ask("GET", "/api/info")[0] == 200
        except Misbehaved:
            return False

    def first(
        self, is_wanted: Callable[[Intercepted], bool], since_ns: int, *, server_name: str = CLOUD, timeout_s: float = 120
    ) -> Intercepted:
        """The first connection of that kind to its cloud, or to another of its maker's servers; a client that tries two addresses at once
        drops one of them unused. Where there is none in time, what there was.
        """
        end = self.clock.now_ns() + int(timeout_s * 1e9)
        while True:
            ended = self.tls.ended(server_name=server_name, since_ns=since_ns)
            if found := [one for one in ended if is_wanted(one)]:
                return found[0]
            if self.clock.now_ns() > end:
                return ended[-1] if ended else self.tls.wait(server_name=server_name, since_ns=since_ns, timeout_s=0.1)
            self.clock.wait(POLL_S / 2)

    def hears_its_cloud(self, since_ns: int) -> Intercepted:
        """The control of all that is refused: its maker's server, with a certificate that is sound, is told something."""
        return self.first(lambda one: one.outcome == "sent_application_data", since_ns)

    def reached_nobody(self, since_ns: int, server_name: str = "") -> bool:
        """No connection of that kind came since, neither one that has ended nor one that goes on."""
        return not self.tls.going(server_name=server_name, since_ns=since_ns) and not self.tls.ended(
            server_name=server_name, since_ns=since_ns
        )

    def turned_away(self) -> int:
        """Connections that came and the bench had no room for: what these would have said nobody knows."""
        counts = self.network.status()["interception"]
        return counts["turned_away"] + counts["accept_failures"] if counts else 0

    def packets(self, text: str = "") -> Evidence:
        """The capture, as far as it goes now."""
        self.network.sync_capture()
        assert self.network.capture_file
        return Evidence(str(self.network.capture_file.relative_to(self.run.record_dir.parent)), text=text)

    def kept(self, name: str, connections: list[Intercepted]) -> Evidence:
        return self.run.attach(f"{name}.json", json.dumps([one.all for one in connections], indent=1), media_type="application/json")

    def kept_plain(self) -> list[Evidence]:
        """What came to the bench that was no TLS, where it still has all of it."""
        try:
            plain = [one for one in self.tls.ended() if one.outcome == "not_tls"]
        except hilcop.ExhaustedError:
            return []
        return [self.kept("plain", plain)]

    def excused(self, check: Check, evidence: list[Evidence]) -> bool:
        """Where a control of it failed and that is no fault of the device's, the check says why, and is judged."""
        if all(ok for _, ok in check.controls) or not (why := self.excuse()):
            return False
        check.inconclusive(why, evidence=evidence)
        return True
