# SPDX-License-Identifier: Apache-2.0
"""SSH's log-in against OpenSSH's server, and paramiko's where OpenSSH would not do that."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest
from accounts import as_if, needs_root
from hilcop.credentials.ssh_login import SshLogin
from rig import Device, free_port, one, running, tried

RIGHT = ("lab", "Lab-77")
CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile {folder}/pid
UsePAM {pam}
PermitRootLogin yes
PermitEmptyPasswords yes
{more}
"""


@contextmanager
def sshd(folder: Path, more: str = "", pam: str = "no", changed: Mapping[str, int] | None = None) -> Iterator[int]:
    port = free_port()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host"], check=True, timeout=20)
    (folder / "conf").write_text(CONFIGURATION.format(port=port, folder=folder, more=more, pam=pam))
    Path("/run/sshd").mkdir(exist_ok=True)
    users = {"lab": RIGHT[1], "root": "vizxv", "guest": ""}
    command = as_if(folder, users, ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "conf"], changed)
    with running(command, port, folder / "log"):
        yield port


@needs_root
def test_a_camera_with_one_of_mirais_passwords_is_found(tmp_path: Path) -> None:
    with sshd(tmp_path) as port:
        done = tried(SshLogin(port=port), [("root", "xc3511"), ("root", "vizxv"), ("nobody", "x")], RIGHT)
        assert one(SshLogin(port=port), ("guest", "x")).said == "asks for nothing", "its user has no password"
    assert done.complete, done.incomplete
    assert [(attempt.index, attempt.user) for attempt in done.accepted] == [(1, "root")]
    assert done.outcomes == {"accepted": 1, "refused": 2}
    assert done.without is not None
    assert "password" in done.without.said


@needs_root
def test_one_that_hangs_up_after_a_single_failure_has_refused(tmp_path: Path) -> None:
    """`MaxAuthTries 1` says "Too many authentication failures" to each."""
    with sshd(tmp_path, "MaxAuthTries 1") as port:
        done = tried(SshLogin(port=port), [("root", "xc3511"), ("root", "vizxv")], RIGHT)
    assert done.complete, done.incomplete
    assert done.outcomes == {"accepted": 1, "refused": 1}
    assert "Too many authentication failures" in done.attempts[0].said
    assert done.lockout is None


@needs_root
def test_a_default_password_whose_change_is_forced_is_found_and_not_changed(tmp_path: Path) -> None:
    """PAM asks for the new one in the same dialogue."""
    with sshd(tmp_path, "PasswordAuthentication no\nKbdInteractiveAuthentication yes", "yes", {"root": 0}) as port:
        pairs = [("root", "admin"), ("root", "vizxv"), ("root", "vizxv")]
        done = tried(SshLogin(port=port), pairs, RIGHT, control_every=0)
    assert [attempt.outcome for attempt in done.attempts] == ["refused", "accepted", "accepted"], done.attempts
    assert done.attempts[1].said.startswith("wants another password: You are required to change your password")
    assert done.complete, done.incomplete


@needs_root
def test_one_that_takes_keys_alone_refuses_no_password(tmp_path: Path) -> None:
    with sshd(tmp_path, "PasswordAuthentication no\nKbdInteractiveAuthentication no") as port:
        answer = one(SshLogin(port=port), RIGHT)
    assert (answer.outcome, answer.said) == ("not_understood", "takes no password, but publickey")


class Played(paramiko.ServerInterface):
    def __init__(self, methods: str, result: int = paramiko.AUTH_FAILED, hangs: threading.Event | None = None) -> None:
        self.methods, self.result, self.hangs = methods, result, hangs

    def get_allowed_auths(self, _: str) -> str:
        return self.methods

    def check_auth_password(self, _: str, password: str) -> int:
        if self.hangs is not None:
            self.hangs.wait(20)
        return self.result if password != RIGHT[1] else int(paramiko.AUTH_SUCCESSFUL)

    def check_auth_interactive(self, _: str, __: str) -> Any:
        return paramiko.InteractiveQuery("", "", ("Password: ", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return int(paramiko.AUTH_SUCCESSFUL) if responses == [RIGHT[1]] else self.result


@contextmanager
def played(device: Played) -> Iterator[int]:
    key = paramiko.ECDSAKey.generate()

    def serve(connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.set_log_channel("played")  # what it says late is not taken for what our client says in the next test
        transport.add_server_key(key)
        with contextlib.suppress(paramiko.SSHException, EOFError):
            transport.start_server(event=threading.Event(), server=device)
        transport.join(30)

    with Device(serve) as rig:
        try:
            yield rig.port
        finally:
            if device.hangs is not None:
                device.hangs.set()


def test_an_interactive_password_is_tried() -> None:
    with played(Played("keyboard-interactive")) as port:
        done = tried(SshLogin(port=port), [("root", "x")], RIGHT)
    assert done.complete, done.incomplete
    assert done.outcomes == {"refused": 1}


def test_a_password_that_is_half_of_it_is_not_understood() -> None:
    with played(Played("password", paramiko.AUTH_PARTIALLY_SUCCESSFUL)) as port:
        answer = one(SshLogin(port=port), ("root", "x"))
    assert answer.outcome == "not_understood"
    assert "takes it, and wants" in answer.said


def test_a_device_that_never_says_whether_it_takes_a_password_has_not_refused() -> None:
    with played(Played("password", hangs=threading.Event())) as port:
        assert one(SshLogin(port=port), ("root", "x"), 2).outcome == "no_answer"


def test_what_is_no_ssh_is_not_logged_where_it_would_be_printed(caplog: pytest.LogCaptureFixture) -> None:
    """Python prints what a library logs where nobody listens: paramiko's own logger has nobody."""

    def garbage(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-x\r\n" + os.urandom(4000))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    with Device(garbage) as device:
        for _ in range(5):
            assert one(SshLogin(port=device.port), RIGHT, 3).outcome in ("not_understood", "disconnected", "no_answer")
    assert not [record for record in caplog.records if record.name.startswith("paramiko")]
    assert caplog.records
