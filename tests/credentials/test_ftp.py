# SPDX-License-Identifier: Apache-2.0
"""FTP's log-in against pyftpdlib, and servers with flaws."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hilcop.credentials import FtpLogin
from rig import Device, free_port, one, running, tried

RIGHT = ("lab", "Lab-77 \xe9")
SERVER = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

port, folder, anonymous = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "True"
users = DummyAuthorizer()
users.add_user("lab", "Lab-77 \\xe9", folder)
users.add_user("root", "vizxv", folder)
if anonymous:
    users.add_anonymous(folder)
FTPHandler.authorizer, FTPHandler.auth_failed_timeout = users, 0
FTPServer(("127.0.0.1", port), FTPHandler).serve_forever()
"""


@contextmanager
def server(folder: Path, anonymous: bool) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-c", SERVER, str(port), folder, str(anonymous)]
    with running(command, port, folder / "log"):
        yield port


def test_a_server_with_one_of_mirais_passwords_is_found(tmp_path: Path) -> None:
    with server(tmp_path, anonymous=False) as port:
        done = tried(FtpLogin(port=port), "mirai", RIGHT)
    assert done.complete, done.incomplete
    assert [(attempt.index, attempt.user) for attempt in done.accepted] == [(1, "root")]
    assert done.outcomes == {"accepted": 1, "refused": 59}
    assert not done.open_to_all


def test_anonymous_ftp_needs_no_credentials(tmp_path: Path) -> None:
    with server(tmp_path, anonymous=True) as port:
        done = tried(FtpLogin(port=port), [("admin", "admin")], RIGHT)
        assert one(FtpLogin(port=port, tls="explicit"), RIGHT).said.startswith("500")
    assert done.open_to_all
    assert done.complete, done.incomplete


def speaks(*replies: bytes) -> Device:
    """One to the connection, and one to each command; in single bytes."""

    def serve(connection: socket.socket) -> None:
        for number, reply in enumerate(replies):
            if number and not connection.recv(4096):
                return
            for byte in reply:
                connection.sendall(bytes([byte]))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)

    return Device(serve)


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ((b"220-hello\r\n 220 not yet\r\n220-nor now\r\n220 now\r\n", b"331 password\r\n", b"230 in\r\n"), "accepted"),
        ((b"220 \r\n", b"230 no password\r\n"), "accepted"),
        ((b"220 \r\n", b"331 \r\n", b"530 Login incorrect.\r\n"), "refused"),
        ((b"220 \r\n", b"331 \r\n", b"530 Too many failures, wait\r\n"), "locked_out"),
        ((b"220 \r\n", b"530 not that one\r\n"), "refused"),
        ((b"220 \r\n", b"331 \r\n", b"332 account\r\n"), "not_understood"),
        ((b"220 \r\n", b"331 \r\n", b"421 bye\r\n"), "disconnected"),
        ((b"530 Sorry, the maximum number of clients are already connected\r\n",), "not_understood"),
        ((b"421 Too many connections\r\n",), "locked_out"),
        ((b"220 \r\n", b"331 \r\n"), "disconnected"),
        ((b"220 \r\n", b"331 \r\n", b"230 i"), "disconnected"),
        ((b"2x0 \r\n",), "not_understood"),
        ((b"\xff\x00\n",), "not_understood"),
        ((b"a" * 10000,), "not_understood"),
        ((b"",), "disconnected"),
    ],
)
def test_what_an_answer_means(replies: tuple[bytes, ...], outcome: str) -> None:
    with speaks(*replies) as device:
        assert one(FtpLogin(port=device.port), RIGHT, 5).outcome == outcome


@pytest.mark.parametrize("at", ["USER", "PASS"])
def test_one_that_is_full_has_not_refused(at: str) -> None:
    """As ProFTPD says it where it counts its clients (MaxClientsPerHost), with the code of a wrong password; vizxv is right."""
    full = b"530 Sorry, the maximum number of clients (5) from your host are already connected.\r\n"
    said: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 ProFTPD\r\n")
        user = lines.readline().split()[1]
        is_full = ftp.connections == 5
        if is_full and at == "USER":
            connection.sendall(full)
        else:
            connection.sendall(b"331 Password required for " + user + b"\r\n")
            good = lines.readline().split()[1] in (b"right", b"vizxv")
            connection.sendall(full if is_full else b"230 in\r\n" if good else b"530 Login incorrect for " + user + b".\r\n")
        said.append(lines.readline())

    with Device(serve) as ftp:
        done = tried(FtpLogin(port=ftp.port), [("root", "1111"), ("root", "vizxv"), ("admin", "admin")], ("lab", "right"))
    assert [attempt.outcome for attempt in done.attempts] == ["refused", "not_understood", "refused"]
    assert not done.complete
    assert set(said) == {b"QUIT\r\n"}, "or it may count this client on"


def test_a_reply_that_never_ends_is_not_understood() -> None:
    def serve(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"220-and on\r\n" * 1000)

    with Device(serve) as device:
        assert one(FtpLogin(port=device.port), RIGHT, 10).said == "says more than 262144 bytes"


def test_any_bytes_are_an_outcome() -> None:
    chance = random.Random(6)
    parts = [b"220 \r\n", b"220-", b"331 \r\n", b"230", b"530 ", b"\n", b"\r", b"\xff", b"\0", b"99"]

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"".join(chance.choices(parts, k=chance.randrange(12))))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    with Device(serve) as device:
        outcomes = {one(FtpLogin(port=device.port), RIGHT, 5).outcome for _ in range(300)}
    assert {"disconnected", "not_understood"} <= outcomes
    assert "no_answer" not in outcomes
