# SPDX-License-Identifier: Apache-2.0
"""Every protocol against devices that are ill: always an outcome that is no answer, in time, with bounded memory."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hilcop.credentials import (
    FormSuccess,
    FtpLogin,
    HttpBasicLogin,
    HttpDigestLogin,
    HttpFormLogin,
    MqttLogin,
    NetworkLogin,
    TelnetLogin,
)
from hilcop.credentials.ssh_login import SshLogin
from hilcop.credentials.wire import MOST_READ
from rig import Device, free_port, one

LOGINS: dict[str, Callable[[int], NetworkLogin]] = {
    "http-basic": lambda port: HttpBasicLogin(port=port),
    "http-digest": lambda port: HttpDigestLogin(port=port),
    "http-form": lambda port: HttpFormLogin(FormSuccess(status=302), page="/", port=port),
    "https": lambda port: HttpBasicLogin(port=port, tls=True),
    "telnet": lambda port: TelnetLogin(port=port),
    "ftp": lambda port: FtpLogin(port=port),
    "ftps": lambda port: FtpLogin(port=port, tls="implicit"),
    "mqtt": lambda port: MqttLogin(port=port),
    "mqtt5": lambda port: MqttLogin(port=port, version="5"),
    "ssh": lambda port: SshLogin(port=port),
}
BEGINS = [
    b"HTTP/1.1 200",
    b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest ",
    b"220-",
    b"\x20\x02",
    b"SSH-2.0-x\r\n",
    b"\xff\xfb\x01login: ",
    b"",
]


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def closes(_: socket.socket) -> None:
    return


def garbage(connection: socket.socket) -> None:
    connection.sendall(random.Random(6).randbytes(2000))
    connection.shutdown(socket.SHUT_WR)
    silent(connection)


def endless(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"\x7f\n" * 30000)


def endless_line(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"220-a: b, c " * 5000)


def drips(connection: socket.socket) -> None:
    """A byte now and then, for ever: no wait for a single byte is ever too long."""
    connection.settimeout(0.02)
    while True:
        with contextlib.suppress(TimeoutError):
            if not connection.recv(1):
                return
        connection.sendall(b"2")


@pytest.mark.parametrize("flaw", [silent, closes, garbage, endless, endless_line, drips])
@pytest.mark.parametrize("name", LOGINS)
def test_an_ill_device_has_answered_nothing(name: str, flaw: Callable[[socket.socket], None]) -> None:
    threads = threading.active_count()
    with Device(flaw) as device:
        begin = time.monotonic()
        for pair in (("root", "vizxv"), None) if flaw is closes else (("root", "vizxv"),):
            assert one(LOGINS[name](device.port), pair, 0.2).outcome in ("disconnected", "no_answer", "not_understood")
        assert time.monotonic() - begin < 8
        if flaw is silent:
            assert one(LOGINS[name](device.port), ("root", "vizxv"), 0.1).outcome == "no_answer"
    end = time.monotonic() + 10
    while threading.active_count() > threads:
        assert time.monotonic() < end, threading.enumerate()


@pytest.mark.parametrize("name", LOGINS)
def test_a_port_that_nobody_listens_at_is_disconnected(name: str) -> None:
    assert one(LOGINS[name](free_port()), ("root", "vizxv"), 2).outcome == "disconnected"


@pytest.mark.parametrize("name", [name for name in LOGINS if name not in ("https", "ftps")])
def test_any_bytes_are_an_outcome(name: str) -> None:
    chance = random.Random(6)

    def serve(connection: socket.socket) -> None:
        connection.sendall(chance.choice(BEGINS) + chance.randbytes(chance.randrange(60)))
        connection.shutdown(socket.SHUT_WR)
        silent(connection)

    with Device(serve) as device:
        for _ in range(40):
            one(LOGINS[name](device.port), ("root", "vizxv"), 2)


def test_what_a_flood_takes_is_bounded() -> None:
    with Device(endless_line) as device:
        for name in ("http-basic", "ftp", "telnet"):
            tracemalloc.start()
            one(LOGINS[name](device.port), ("root", "vizxv"), 5)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert most < 16 * MOST_READ, name
