# SPDX-License-Identifier: Apache-2.0
"""Telnet's log-in against BusyBox's telnetd and login, and devices with flaws."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from accounts import as_if, needs_root
from hilcop.credentials import Proof, TelnetLogin
from hilcop.credentials.dialogue import _LOGIN, Dialogue
from hilcop.credentials.telnet import MOST_REPLIES, Options
from rig import HOME, Device, free_port, one, running, tried

RIGHT = ("lab", "Lab-77")


@contextmanager
def telnetd(folder: Path, login: str = "/bin/busybox login", changed: Mapping[str, int] | None = None) -> Iterator[int]:
    port, program = free_port(), folder / "login"
    program.write_text(f"#!/bin/sh\nexec {login}\n")
    program.chmod(0o755)
    command = ["busybox", "telnetd", "-F", "-b", HOME, "-p", str(port), "-l", program]
    accounts = {"lab": RIGHT[1], "root": "vizxv", "guest": ""}
    with running(as_if(folder, accounts, command, changed), port, folder / "log"):
        yield port


@needs_root
def test_a_camera_with_one_of_mirais_passwords_is_found(tmp_path: Path) -> None:
    """BusyBox's login waits three seconds after a wrong password, so that the list is a short one."""
    with telnetd(tmp_path) as port:
        done = tried(TelnetLogin(port=port), [("root", "vizxv"), ("guest", "guest")], RIGHT)
    assert done.complete, done.incomplete
    assert [(attempt.index, attempt.user) for attempt in done.accepted] == [(0, "root"), (1, "guest")]
    assert done.accepted[1].said == "asks for no password"
    assert done.outcomes == {"accepted": 2}
    assert done.wrong is not None
    assert "Login incorrect" in done.wrong.said
    assert not done.open_to_all


@needs_root
def test_a_shell_without_a_login_is_open_to_all(tmp_path: Path) -> None:
    with telnetd(tmp_path, "/bin/sh") as port:
        done = tried(TelnetLogin(port=port), "mirai", RIGHT)
    assert done.open_to_all
    assert done.accepts_anything
    assert not done.complete


class Played:
    """login: and Password: as a device has them, and a shell that computes nothing; `says` is what comes after a password."""

    def __init__(self, says: bytes, drips: bool = False, greeting: bytes = b"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18acme login: ") -> None:
        self.says, self.drips, self.greeting = says, drips, greeting

    def __call__(self, connection: socket.socket) -> None:
        self.send(connection, self.greeting)
        self.line(connection)
        self.send(connection, b"root\r\nPassword: ")
        self.line(connection)
        self.send(connection, self.says)
        while self.line(connection):
            self.send(connection, b"?\r\n# ")

    def send(self, connection: socket.socket, data: bytes) -> None:
        for piece in (data[at : at + 1] for at in range(len(data))) if self.drips else [data]:
            connection.sendall(piece)

    @staticmethod
    def line(connection: socket.socket) -> bytes:
        heard = b""
        while not heard.endswith(b"\n"):
            if not (byte := connection.recv(1)):
                return b""
            heard += byte
        return heard


INCORRECT = b"\r\nLogin incorrect\r\nacme login: "


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        (INCORRECT, "refused"),
        (b"\r\nLast login: Tue from 10.0.0.1\r\nLogin incorrect\r\nLogin: ", "refused"),
        (b"\r\nWrong.\r\nPassword: ", "refused"),
        (b"\r\nYou are required to change your password immediately.\r\nCurrent password: ", "accepted"),
        (b"\r\nLast failed login: Tue\r\n(current) UNIX password: ", "accepted"),
        (b"\r\nNew password: ", "accepted"),
        (b"\r\nEnter new username: ", "accepted"),
        (b"\r\nYour password has expired\r\nlogin: ", "not_understood"),
        (b"\r\nIncorrect. Enter new password: ", "not_understood"),
        (b"\r\nToo many failures, account locked\r\n", "locked_out"),
        (b"\r\nwelcome to the menu\r\n", "not_understood"),
    ],
)
def test_what_comes_after_a_password(says: bytes, outcome: str) -> None:
    """In single bytes: a prompt is not yet one where more comes."""
    with Device(Played(says, drips=True)) as device:
        assert one(TelnetLogin(port=device.port), ("root", "x"), 2.5 if outcome == "not_understood" else 15).outcome == outcome


@pytest.mark.parametrize(
    ("says", "complete"), [(b"\r\nOne-time password: ", False), (b"\r\nSee the manual, page 4\r\nlogin: ", False), (INCORRECT, True)]
)
def test_a_prompt_after_other_words_than_a_wrong_passwords_refuses_nothing(says: bytes, complete: bool) -> None:
    """vizxv is answered by `says`; a list is complete only where that is what a wrong password is told."""
    replies = {b"right": b"\r\n> ", b"vizxv": says, b"xc3511": b"\r\nmotd\r\nLogin incorrect for root\r\nbox2 login: "}

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"login: ")
        Played.line(connection)
        connection.sendall(b"Password: ")
        connection.sendall(replies.get(Played.line(connection).strip(), b"\r\nLogin incorrect for lab\r\nacme login: "))
        while Played.line(connection):
            connection.sendall(b"ready\r\n> ")

    if complete:
        replies[b"vizxv"] = replies[b"xc3511"]
    with Device(serve) as device:
        login = TelnetLogin(port=device.port, proof=Proof("status", "ready"))
        done = tried(login, [("root", "xc3511"), ("root", "vizxv")], ("lab", "right"))
    assert [attempt.outcome for attempt in done.attempts] == ["refused", "refused" if complete else "not_understood"]
    assert done.complete is complete, done.incomplete


@needs_root
def test_a_default_password_whose_change_is_forced_is_found(tmp_path: Path) -> None:
    """By Linux's login and PAM: the password is old (shadow(5): changed on day 0), and must be changed by whoever has given it."""
    with telnetd(tmp_path, "/bin/login", changed={"root": 0}) as port:
        done = tried(TelnetLogin(port=port), [("root", "admin"), ("root", "vizxv")], RIGHT)
    assert [(attempt.index, attempt.outcome) for attempt in done.attempts] == [(0, "refused"), (1, "accepted")], done.attempts
    assert done.complete, done.incomplete


@pytest.mark.parametrize("said", ["Last login: ", "2 users: a, b. Last failed login: ", "login: root", "router login: root\r\n"])
def test_what_is_no_prompt_is_none_though_nothing_follows(said: str) -> None:
    class Says:
        def __init__(self) -> None:
            self.said = said.encode()

        def receive(self, end: float) -> bytes:
            if not self.said:
                assert end > 0
                raise TimeoutError
            data, self.said = self.said[:1], self.said[1:]
            return data

        def send_line(self, text: str, end: float) -> None:
            raise AssertionError((text, end))

        send_secret = send_line

    assert Dialogue(Says(), time.monotonic() + 5).wait(_LOGIN, end=time.monotonic() + 5) is None


def test_a_prompt_alone_is_no_shell_and_another_shell_has_its_own_proof() -> None:
    with Device(Played(b"\r\nacme> ")) as device:
        assert "no shell behind" in one(TelnetLogin(port=device.port), ("root", "x"), 3).said
        proven = TelnetLogin(port=device.port, proof=Proof("show version", r"\?"))
        assert one(proven, ("root", "x"), 15).outcome == "accepted"


def test_an_echo_is_no_shell() -> None:
    """A device that only sends back what it is told, with a prompt."""
    with pytest.raises(ValueError, match="an echo would prove a shell"):
        Proof("show version", "version")

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"# ")
        while data := connection.recv(4096):
            connection.sendall(data + b"# ")

    with Device(serve) as device:
        assert one(TelnetLogin(port=device.port), None, 2.5).outcome == "not_understood"


def test_one_that_says_nothing_is_late_and_one_that_hangs_up_is_gone() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass

    with Device(silent) as device:
        assert one(TelnetLogin(port=device.port), ("root", "x"), 0.5).outcome == "no_answer"
    with Device(lambda connection: connection.sendall(b"login: ")) as device:
        assert one(TelnetLogin(port=device.port), ("root", "x"), 15).outcome == "disconnected"


def test_options_are_refused_once_however_they_are_cut() -> None:
    asked = bytes.fromhex("fffb01 fffb03 fffb05 fffd18 fffd18 fffb01 fffa18 01ff ff02 fff0 fffe18 fff1") + b"a\xff\xffb"
    for cut in range(len(asked)):
        options = Options()
        (one_text, one_reply), (two_text, two_reply) = options.take(asked[:cut]), options.take(asked[cut:])
        assert one_text + two_text == b"a\xffb"
        assert one_reply + two_reply == bytes.fromhex("fffd01 fffd03 fffe05 fffc18")


def test_two_ends_never_loop_and_any_bytes_are_text_or_none() -> None:
    options, said = Options(), b""
    for _ in range(100):
        _, said = options.take(said or bytes.fromhex("fffb01 fffd03 fffb22"))
        said = said.replace(b"\xfc", b"\xfd").replace(b"\xfe", b"\xfb")  # the other end insists
        if not said:
            break
    assert not said
    chance, options, replies = random.Random(6), Options(), b""
    for _ in range(3000):
        text, reply = options.take(bytes(chance.choices([255, 250, 240, 251, 252, 253, 254, chance.randrange(256)], k=20)))
        assert len(text) <= 20
        replies += reply
    assert len(replies) <= 3 * MOST_REPLIES
