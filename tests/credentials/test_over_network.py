# SPDX-License-Identifier: Apache-2.0
"""dut.network.try_logins: what it asks of the network process and has told, without a password."""

from __future__ import annotations

import json
import socket
from typing import Any

import hilcop
import pytest
from hilcop.credentials import FtpLogin, MqttLogin
from hilcop.errors import make
from hilcop.network import Network
from rig import HOME, Device, free_port

SECRET = "s3cret-of-the-lab"


class Process:
    """What the network process answers; connections go to this host."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, dict[str, Any]]] = []
        self.gone, self.plugged = False, True

    def ask(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        assert (what, how) == ("status", {})
        assert timeout_s > 0
        if self.gone:
            raise make("Disconnected", "network", "its process has ended", "open the bench again", "network: its process has ended")
        return {"plugged": self.plugged, "services": {"leases": {"52:54:00:00:00:01": HOME}}}

    def change(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        json.dumps(how)  # or it could not be sent
        assert timeout_s > 0
        self.changes.append((what, how))
        return {}

    def connect(self, address: str, port: int, *, timeout_s: float) -> int:
        if not self.plugged:
            raise make("Timeout", "device", "does not answer", "see it", "device: does not answer")
        try:
            return socket.create_connection((address, port), timeout_s).detach()
        except ConnectionRefusedError:
            raise make("Disconnected", "device", "nobody listens there", "see it", "device: nobody listens there") from None


def network(process: Process) -> Network:
    return Network(process)  # type: ignore[arg-type]


def device(connection: socket.socket) -> None:
    connection.sendall(b"220 \r\n")
    user = connection.recv(4096)
    connection.sendall(b"331 \r\n")
    good = (user, connection.recv(4096)) in ((b"USER lab\r\n", f"PASS {SECRET}\r\n".encode()), (b"USER root\r\n", b"PASS vizxv\r\n"))
    connection.sendall(b"230 \r\n" if good else b"530 \r\n")


def test_a_run_is_told_when_it_begins_and_ends_and_no_password_with_it() -> None:
    process = Process()
    with Device(device) as ill:
        done = network(process).try_logins(FtpLogin(port=ill.port), "mirai", control=("lab", SECRET), interval_s=0, timeout_s=60)
    assert done.complete, done.incomplete
    assert [attempt.index for attempt in done.accepted] == [1]
    assert done.target == f"{HOME} port {ill.port}"
    assert [what for what, _ in process.changes] == ["mark", "mark"]
    begins, ends = (how for _, how in process.changes)
    assert begins["text"] == f"log-ins by ftp at {done.target}: 60 pairs of list mirai begin"
    assert begins["list_sha256"] == done.list_sha256
    assert ends["text"] == f"log-ins by ftp at {done.target} end: 1 of 60 accepted"
    assert (ends["accepted_indices"], ends["complete"], ends["tried"]) == ([1], True, 60)
    told = json.dumps(process.changes)
    assert SECRET not in told
    assert "vizxv" not in told
    assert len(json.dumps(ends)) < 4000, "a comment of the capture"


def test_a_port_that_is_closed_is_the_devices_and_a_network_that_has_gone_is_the_benchs() -> None:
    process = Process()
    done = network(process).try_logins(MqttLogin(port=free_port()), "mirai", control=("lab", SECRET), interval_s=0, timeout_s=20)
    assert done.control_before is not None
    assert done.control_before.outcome == "disconnected"
    assert not done.complete
    process.gone = True
    with pytest.raises(hilcop.DisconnectedError, match="its process has ended"):
        network(process).try_logins(MqttLogin(port=free_port()), "mirai", address=HOME, interval_s=0, timeout_s=20)
    assert process.changes[-1][1]["text"].endswith("end: DisconnectedError")


def test_a_cable_that_is_pulled_is_no_lockout() -> None:
    """While a device is guessed, before it is asked and in the middle of a log-in."""
    process = Process()

    def serve(connection: socket.socket) -> None:
        device(connection)
        process.plugged = process.plugged and ill.connections < 5

    with Device(serve) as ill:
        done = network(process).try_logins(FtpLogin(port=ill.port), "mirai", control=("lab", SECRET), interval_s=0, timeout_s=3)
    assert done.lockout is None
    assert set(done.outcomes) == {"accepted", "refused", "not_understood"}
    assert any(attempt.said.startswith("no_answer, and nothing is plugged in") for attempt in done.attempts)
    assert not done.complete

    def pulled(connection: socket.socket) -> None:
        process.plugged = False
        connection.recv(4096)

    process.plugged = True
    with Device(pulled) as ill:
        done = network(process).try_logins(
            FtpLogin(port=ill.port), "mirai", control=("lab", SECRET), interval_s=0, answer_within_s=0.2, timeout_s=20
        )
    assert done.without is not None
    assert done.without.outcome == "not_understood"


def test_a_device_that_does_not_answer_is_late_and_a_network_that_does_not_is_the_benchs() -> None:
    class Late(Process):
        def connect(self, address: str, port: int, *, timeout_s: float) -> int:
            raise make("Timeout", "device", f"{address} port {port} does not answer in {timeout_s:g} s", "see it", "device: late")

        def ask(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
            if self.gone:
                raise make("Timeout", "network", "its process does not answer", "open the bench again", "network: does not answer")
            return super().ask(what, how, timeout_s=timeout_s)

    process = Late()
    done = network(process).try_logins(MqttLogin(), "mirai", address=HOME, interval_s=0, timeout_s=20)
    assert done.without is not None
    assert done.without.outcome == "no_answer"
    process.gone = True
    with pytest.raises(hilcop.TimeoutError, match="network: does not answer"):
        network(process).try_logins(MqttLogin(), "mirai", address=HOME, interval_s=0, timeout_s=20)


def test_a_name_is_a_protocol_at_its_own_port() -> None:
    with pytest.raises(hilcop.ConfigError, match="choose one of: http-basic, http-digest, telnet, ftp, ssh, mqtt"):
        network(Process()).try_logins("pigeon", "mirai", timeout_s=5)
    with pytest.raises(hilcop.ConfigError, match="choose one of: generic, mirai"):
        network(Process()).try_logins("telnet", "none", timeout_s=5)
    with pytest.raises(hilcop.ConfigError, match="out of range"):
        network(Process()).try_logins("telnet", "mirai", timeout_s=-1)
