# SPDX-License-Identifier: Apache-2.0
"""hilcop.ssh against OpenSSH's server, and against servers that hang, hang up and speak something else."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

import hilcop
import paramiko
import pytest
from hilcop.ssh import Ssh

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from loopback_ports import free_port

CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/pid
StrictModes no
UsePAM no
"""


class Loopback:
    """What dut.network is to it."""

    def connect(self, address: str, port: int, *, timeout_s: float = 10) -> socket.socket:
        return socket.create_connection((address, port), timeout_s)


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("host", "user", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True, timeout=20)
        self.port = free_port()
        (folder / "conf").write_text(CONFIGURATION.format(port=self.port, folder=folder))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where it locks itself up (sshd(8))
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", folder / "conf"], stderr=log)
        end = time.monotonic() + 20
        while "Server listening" not in (folder / "log").read_text():
            assert self.process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, (folder / "log").read_text()

    def session(self, key: str = "user") -> Ssh:
        return Ssh(Loopback(), "127.0.0.1", user=getuser(), key_file=self.folder / key, port=self.port)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("sshd"))
    yield made
    made.process.terminate()
    made.process.wait(20)


def test_a_command_has_its_output_and_its_status(server: Server) -> None:
    with server.session() as ssh:
        done = ssh.run("echo out; echo err >&2; exit 7")
        assert (done.exit_status, done.output) == (7, "out\nerr\n")
        assert type(done) is hilcop.CommandResult
        assert 0 < done.elapsed_s < 30
        assert ssh.run("true").exit_status == 0, "the next one, of the same session"
        assert ssh.server.startswith("SSH-2.0-OpenSSH")
        said = subprocess.run(
            ["ssh-keygen", "-l", "-f", server.folder / "host.pub"], check=True, capture_output=True, text=True, timeout=20
        )
        assert ssh.host_key == said.stdout.split()[1]


def test_much_output_is_whole_and_too_much_is_an_error(server: Server) -> None:
    with server.session() as ssh:
        assert len(ssh.run("head -c 3000000 /dev/zero | tr '\\0' a").output) == 3_000_000
        with pytest.raises(hilcop.ExhaustedError, match="more than"):
            ssh.run("head -c 20000000 /dev/zero")


def test_a_file_goes_there_and_comes_back(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 1000)
    with server.session() as ssh:
        assert ssh.put(tmp_path / "a", str(tmp_path / "it's there")) == 256_000
        assert ssh.get(str(tmp_path / "it's there"), tmp_path / "b") == 256_000
        assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
        with pytest.raises(FileExistsError):
            ssh.get(str(tmp_path / "a"), tmp_path / "b")
        with pytest.raises(hilcop.NotFoundError, match="No such file"):
            ssh.get(str(tmp_path / "nowhere"), tmp_path / "c")
        assert not (tmp_path / "c").exists()
        with pytest.raises(hilcop.ProtocolError, match="was not written"):
            ssh.put(tmp_path / "a", str(tmp_path / "no folder/a"))
        (tmp_path / "large").write_bytes(bytes(8_000_000))  # the device refuses it while it is being sent
        with pytest.raises((hilcop.ProtocolError, hilcop.DisconnectedError)):
            ssh.put(tmp_path / "large", str(tmp_path / "no folder/a"))


def test_a_command_that_hangs_is_a_timeout_and_the_session_lives(server: Server) -> None:
    with server.session() as ssh:
        begin = time.monotonic()
        with pytest.raises(hilcop.TimeoutError, match="'sleep 60': not done in its time"):
            ssh.run("sleep 60", timeout_s=0.5)
        assert time.monotonic() - begin < 20
        assert ssh.run("echo on").output == "on\n"


def test_one_that_is_killed_has_no_status(server: Server) -> None:
    with server.session() as ssh, pytest.raises(hilcop.ProtocolError, match="ended without a status"):
        ssh.run("kill -9 $$")


def test_a_key_or_password_that_it_does_not_know_is_refused(server: Server) -> None:
    with pytest.raises(hilcop.PermissionDeniedError):
        server.session("stranger")
    with pytest.raises(hilcop.PermissionDeniedError):
        Ssh(Loopback(), "127.0.0.1", user=getuser(), password="wrong", port=server.port)


def test_what_makes_no_sense_is_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    with pytest.raises(ValueError, match="either a password or a key_file"):
        Ssh(Loopback(), "127.0.0.1", user="root", port=server.port)
    with pytest.raises(hilcop.ConfigError, match="no private key"):
        Ssh(Loopback(), "127.0.0.1", user="root", key_file=tmp_path / "key", port=server.port)
    with pytest.raises(hilcop.NotFoundError, match="key file"):
        Ssh(Loopback(), "127.0.0.1", user="root", key_file=tmp_path / "none", port=server.port)


@pytest.mark.parametrize(
    ("says", "error"),
    [(None, hilcop.TimeoutError), (b"", hilcop.ProtocolError), (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200, hilcop.ProtocolError)],
    ids=["nothing", "hangs up", "something else"],
)
def test_a_server_that_is_none_is_told_in_time(says: bytes | None, error: type[Exception]) -> None:
    """It says nothing, hangs up, or is another protocol's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                if says is None:
                    ended.wait(30)
                else:
                    connection.sendall(says)

        thread = threading.Thread(target=serve)
        thread.start()
        begin = time.monotonic()
        try:
            with pytest.raises((error, hilcop.DisconnectedError) if says else error):
                Ssh(Loopback(), "127.0.0.1", user="root", password="x", port=listening.getsockname()[1], timeout_s=2)
        finally:
            ended.set()
            thread.join(30)
        assert time.monotonic() - begin < 20


class Mute(paramiko.ServerInterface):
    """Lets everybody in, and never says whether it carries out a command."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def check_auth_password(self, *_: object) -> int:
        return int(paramiko.AUTH_SUCCESSFUL)

    def check_channel_request(self, *_: object) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_exec_request(self, *_: object) -> bool:
        self.ended.wait(40)
        return False


class Dies(Mute):
    """Says that the command has ended well, and half of what it said; then the whole device is gone."""

    def check_channel_exec_request(self, channel: paramiko.Channel, _: bytes) -> bool:
        threading.Thread(target=self.dies, args=[channel]).start()
        return True

    def dies(self, channel: paramiko.Channel) -> None:
        channel.send_exit_status(0)
        channel.sendall(b"half")
        channel.get_transport().close()


class Chatty(Mute):
    """Never comes to an end."""

    def check_channel_exec_request(self, channel: paramiko.Channel, _: bytes) -> bool:
        threading.Thread(target=self.talks, args=[channel]).start()
        return True

    def talks(self, channel: paramiko.Channel) -> None:
        with contextlib.suppress(OSError):
            while not self.ended.wait(0.005):
                channel.sendall(b"and ")


@contextmanager
def session_with(server: Server, device: Mute) -> Iterator[Ssh]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            transport = paramiko.Transport(listening.accept()[0])
            transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(str(server.folder / "host")))
            transport.start_server(server=device)
            device.ended.wait(60)
            transport.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with Ssh(Loopback(), "127.0.0.1", user="root", password="x", port=listening.getsockname()[1]) as ssh:
                yield ssh
        finally:
            device.ended.set()
            thread.join(30)


@pytest.mark.parametrize("device", [Mute, Chatty])
def test_a_device_that_never_answers_or_never_ends_is_late(server: Server, device: type[Mute]) -> None:
    with session_with(server, device()) as ssh:
        begin = time.monotonic()
        with pytest.raises(hilcop.TimeoutError):
            ssh.run("true", timeout_s=1)
        assert time.monotonic() - begin < 20


def test_half_an_output_is_none_though_the_command_has_ended_well(server: Server, tmp_path: Path) -> None:
    with session_with(server, Dies()) as ssh, pytest.raises(hilcop.DisconnectedError):
        ssh.run("true")
    with session_with(server, Dies()) as ssh, pytest.raises(hilcop.DisconnectedError):
        ssh.get("/etc/passwd", tmp_path / "passwd")
    assert not (tmp_path / "passwd").exists()
