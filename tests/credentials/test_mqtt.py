# SPDX-License-Identifier: Apache-2.0
"""MQTT's log-in against mosquitto, and brokers with flaws."""

from __future__ import annotations

import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from hilcop.credentials import MqttLogin
from hilcop.credentials.answers import Unintelligible
from hilcop.credentials.mqtt import connect_packet
from hilcop.credentials.pairs import Pair
from hilcop.credentials.wire import Wire
from rig import Device, free_port, one, running, tried

RIGHT = ("lab", "Lab-77")
Version = Literal["3.1.1", "5"]


@contextmanager
def broker(folder: Path, anonymous: bool, secure: bool = False) -> Iterator[int]:
    port, users = free_port(), folder / "users"
    users.touch(0o600)
    for user, password in (RIGHT, ("admin", "pass")):
        subprocess.run(["mosquitto_passwd", "-b", users, user, password], check=True, capture_output=True, timeout=20)
    lines = [f"listener {port} 127.0.0.1", f"allow_anonymous {str(anonymous).lower()}", f"password_file {users}", "user root"]
    if secure:
        certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-days", "1"]
        subprocess.run([*certificate, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True, timeout=30)
        lines += [f"certfile {folder}/cert", f"keyfile {folder}/key"]
    (folder / "conf").write_text("\n".join(lines) + "\n")
    with running(["mosquitto", "-c", folder / "conf"], port, folder / "log"):
        yield port


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_broker_with_one_of_mirais_passwords_is_found(tmp_path: Path, version: Version) -> None:
    with broker(tmp_path, anonymous=False) as port:
        done = tried(MqttLogin(port=port, version=version), "mirai", RIGHT)
    assert done.complete, done.incomplete
    assert [(attempt.index, attempt.user) for attempt in done.accepted] == [(56, "admin")]
    assert len(done.attempts) == 60
    assert not done.open_to_all
    assert done.rate_per_min > 60


def test_one_that_is_open_to_anonymous_clients_is_told_over_tls_too(tmp_path: Path) -> None:
    with broker(tmp_path, anonymous=True, secure=True) as port:
        done = tried(MqttLogin(port=port, tls=True), [("admin", "admin")], RIGHT)
        assert done.open_to_all
        assert done.complete, done.incomplete
        assert done.accepted == ()
        plain = one(MqttLogin(port=port), RIGHT)
        assert plain.outcome in ("disconnected", "not_understood"), "it speaks TLS there"


def test_one_that_speaks_no_tls_is_not_understood(tmp_path: Path) -> None:
    with broker(tmp_path, anonymous=True) as port:
        assert one(MqttLogin(port=port, tls=True), RIGHT).outcome in ("disconnected", "not_understood")


@pytest.mark.parametrize(
    ("version", "answer", "outcome"),
    [
        ("3.1.1", "20020000", "accepted"),
        ("3.1.1", "20020004", "refused"),
        ("3.1.1", "20020005", "refused"),
        ("3.1.1", "20020003", "not_understood"),
        ("3.1.1", "2003000000", "not_understood"),
        ("5", "2003000000", "accepted"),
        ("5", "2003008600", "refused"),
        ("5", "2003009f00", "locked_out"),
        ("5", "2003008a00", "locked_out"),
        ("3.1.1", "20", "disconnected"),
        ("3.1.1", "2002", "disconnected"),
        ("3.1.1", "", "disconnected"),
        ("3.1.1", "20ffffffff7f", "not_understood"),
        ("3.1.1", "20ffffff7f", "not_understood"),
        ("3.1.1", "3000", "not_understood"),
    ],
)
def test_what_an_answer_means(version: Version, answer: str, outcome: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        for byte in bytes.fromhex(answer):
            connection.sendall(bytes([byte]))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)

    with Device(serve) as device:
        assert one(MqttLogin(port=device.port, version=version), RIGHT).outcome == outcome


@pytest.mark.parametrize("failure", [ConnectionResetError(104, "reset"), TimeoutError(), Unintelligible("TLS: broken")])
def test_a_broker_that_lets_in_and_is_gone_has_let_in(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x20\x02\0\0")

    sends = Wire.send

    def send(wire: Wire, data: bytes) -> None:
        if data == b"\xe0\0":  # as a kernel tells it, though not always in time to be seen here
            raise failure
        sends(wire, data)

    monkeypatch.setattr(Wire, "send", send)
    with Device(serve) as device:
        assert one(MqttLogin(port=device.port), RIGHT).outcome == "accepted"


def test_the_packet_is_as_it_is_written_down() -> None:
    """3.1.1 clause 3.1."""
    assert connect_packet(None, "3.1.1", "a") == bytes.fromhex("100d 0004 4d515454 04 02 003c 0001 61")
    assert connect_packet(Pair("u", ""), "5", "a") == bytes.fromhex("1013 0004 4d515454 05 c2 003c 00 0001 61 0001 75 0000")
    assert connect_packet(Pair("u", "x" * 200), "3.1.1", "a")[:3] == bytes.fromhex("10da01")


def test_any_bytes_are_an_outcome() -> None:
    chance = random.Random(6)

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(bytes(chance.choices([0x20, 2, 0, 4, 0x80, 0xFF, chance.randrange(256)], k=chance.randrange(12))))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)

    with Device(serve) as device:
        outcomes = {one(MqttLogin(port=device.port, version="5"), RIGHT, 5).outcome for _ in range(300)}
    assert {"disconnected", "not_understood"} <= outcomes
    assert "no_answer" not in outcomes
