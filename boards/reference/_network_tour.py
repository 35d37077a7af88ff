# SPDX-License-Identifier: Apache-2.0
"""One unit of the reference device on its tour through HT1-NETWORK, and what every part of that does with it."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

import hilcop
from hilcop import Check, Dut, Evidence, Run
from hilcop.interception import Intercepted, Interception
from hilcop.network import Network

CLOUD, API = "cloud.ht1.example", 443
MOST_STARVED_S = 5.0
PASSWORD, WIFI_KEY = "canary of an owner 1", "canary-wifi-key-7716"


def until(is_so: Callable[[], bool], timeout_s: float) -> bool:
    end = time.monotonic_ns() + int(timeout_s * 1e9)
    while not is_so():
        if time.monotonic_ns() > end:
            return False
        hilcop.wait_until(time.monotonic_ns() + 200_000_000)
    return True


def ask(network: Network, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The device's API over the bench's network, as its owner's browser does, whom its certificate does not concern here."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPConnection("device", timeout=30)
    connection.sock = context.wrap_socket(network.connect(network.address(), API, timeout_s=30))
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        reply = connection.getresponse()
        text = reply.read()
    finally:
        connection.close()
    return reply.status, json.loads(text) if text else None


class Tour:
    """One unit, and what every part of the tour does with it."""

    def __init__(self, dut: Dut, run: Run) -> None:
        self.dut, self.run, self.network = dut, run, dut.network
        self.secrets = {"set-up secret": dut.unit_record["setup_secret"], "password": PASSWORD, "Wi-Fi key": WIFI_KEY}
        self.tls: Interception = self.network.intercept(ports="all")

    def starts(self, check: Check) -> int | None:
        """Power off and on; when it began (steady clock), or None, and the check is judged."""
        self.dut.power.off()
        begin = time.monotonic_ns()
        self.dut.power.on()
        boot = self.dut.boot_to()
        if boot.complete:
            return begin
        evidence = [self.run.console_evidence((boot.begin, self.dut.console.offset))]
        if boot.starved_only:
            check.inconclusive(f"the host was busy for {boot.starved_s:.1f} s of a start", evidence=evidence)
        else:
            check.fail(observed=f"stage '{boot.missing}' of a start did not come", evidence=evidence)
        return None

    def excuse(self) -> str:
        """Why what the device did not do in time is no fault of its own: the host was busy (of an emulated board), or a service of the
        bench's has failed, or it lost events or refused connections in a flood; empty: none of these."""
        busy = float(self.dut.power.report().get("starved_s", 0))
        if busy > MOST_STARVED_S:
            return f"the host was busy for {busy:.1f} s of this start"
        status = self.network.status()
        if lost := status["events_lost"]:
            return f"the bench lost {lost} of its own events: not all that happened was seen"
        if flood := status["filter"].get("uplink_flood"):
            return f"the bench refused {flood} packets of too many connections at once"
        failures = status["services"]["failures"]
        return f"the bench failed: {failures}" if failures else ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return ask(self.network, method, path, body)

    def answers(self) -> bool:
        """Whether its page answers on the LAN."""
        try:
            return self.ask("GET", "/api/info")[0] == 200
        except (hilcop.Error, OSError, http.client.HTTPException, ValueError):
            return False

    def first(self, is_wanted: Callable[[Intercepted], bool], since_ns: int, timeout_s: float = 120) -> Intercepted:
        """The first connection to its cloud of that kind; a client that tries two addresses at once drops one of them unused. Where there
        is none in time, what there was.
        """
        end = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            ended = self.tls.ended(server_name=CLOUD, since_ns=since_ns)
            if found := [one for one in ended if is_wanted(one)]:
                return found[0]
            if time.monotonic_ns() > end:
                return ended[-1] if ended else self.tls.wait(server_name=CLOUD, since_ns=since_ns, timeout_s=0.1)
            hilcop.wait_until(time.monotonic_ns() + 100_000_000)

    def hears_its_cloud(self, since_ns: int) -> Intercepted:
        """The control of all that is refused: its maker's server, with a certificate that is sound, is told something."""
        return self.first(lambda one: one.outcome == "sent_application_data", since_ns)

    def packets(self, text: str = "") -> Evidence:
        """The capture, as far as it goes now."""
        self.network.sync_capture()
        assert self.network.capture_file
        return Evidence(str(self.network.capture_file.relative_to(self.run.record_dir.parent)), text=text)

    def kept(self, name: str, connections: list[Intercepted]) -> Evidence:
        return self.run.attach(f"{name}.json", json.dumps([one.all for one in connections], indent=1), media_type="application/json")
