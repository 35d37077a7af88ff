# SPDX-License-Identifier: Apache-2.0
"""A shell of the device over SSH, from the bench's own network.

with dut.ssh(user="root", key_file="lab-key") as ssh:
    assert ssh.run("uname -m").output == "aarch64\\n"
    ssh.get("/etc/passwd", "passwd")
"""

from __future__ import annotations

import base64
import hashlib
import shlex
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import paramiko  # type: ignore[import]
from hilcop._hilcop import CommandResult
from hilcop.errors import make

if TYPE_CHECKING:
    from hilcop.errors import Error

MOST_OUTPUT = 16 << 20  # bytes of one command
PIECE = 32768
GRACE_S = 2.0  # beyond its time, before a call that hangs takes its session with it


class Reaches(Protocol):
    """What reaches the device: dut.network."""

    def connect(self, address: str, port: int, *, timeout_s: float = ...) -> socket.socket: ...


class Ssh:
    """One session. Each call blocks `timeout_s` seconds at most; where the device takes nothing at all, 2 more, and the session ends.
    Raises TimeoutError, DisconnectedError (the device closed it, or nobody listens), PermissionDeniedError (it takes neither key nor
    password), ProtocolError (it does not speak SSH, RFC 4251 to 4254)."""

    def __init__(
        self,
        network: Reaches,
        address: str,
        *,
        user: str,
        password: str | None = None,
        key_file: Path | str | None = None,
        port: int = 22,
        timeout_s: float = 30,
    ) -> None:
        if (password is None) == (key_file is None):
            raise ValueError("give either a password or a key_file")
        self._object = f"ssh {user}@{address} port {port}"
        end = time.monotonic() + timeout_s
        with self._told(end):
            key = None if key_file is None else self._key(Path(key_file))
            connection = network.connect(address, port, timeout_s=timeout_s)
            try:
                self._transport = paramiko.Transport(connection)
                self._transport.banner_timeout = self._transport.auth_timeout = max(0.1, end - time.monotonic())
                self._transport.start_client(timeout=max(0.1, end - time.monotonic()))
                if key is not None:
                    self._transport.auth_publickey(user, key)
                else:
                    self._transport.auth_password(user, password or "")
            except BaseException:
                connection.close()
                raise

    def __enter__(self) -> Ssh:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if hasattr(self, "_transport"):
            self._transport.close()

    @property
    def host_key(self) -> str:
        """Of the device, as `ssh-keygen -l` shows it: "SHA256:...". A device whose key other units have too keeps nobody out."""
        digest = hashlib.sha256(self._transport.get_remote_server_key().asbytes()).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def server(self) -> str:
        """What it calls itself: "SSH-2.0-dropbear_2022.83"."""
        return str(self._transport.remote_version)

    def run(self, command: str, *, timeout_s: float = 30) -> CommandResult:
        """Carried out by the user's shell, without a terminal; output and errors in the order in which they came, 16 MiB at most
        (ExhaustedError). The same result as console.run(), without offsets. At a TimeoutError the command may go on in the device."""
        begin, end = time.monotonic(), time.monotonic() + timeout_s
        with self._told(end, command), self._channel(end) as channel:
            channel.set_combine_stderr(True)
            channel.exec_command(command)
            output = b"".join(self._received(channel, end, MOST_OUTPUT))
            status = self._status(channel, end)
        return CommandResult(exit_status=status, output=output, elapsed_s=time.monotonic() - begin)

    def put(self, local: Path | str, remote: str, *, timeout_s: float = 60) -> int:
        """Writes a file of this host to the device, by its shell (`cat`), and has it counted there (`wc -c`). Returns its bytes.
        ProtocolError: it could not be written, or has another size than was sent."""
        size, end = Path(local).stat().st_size, time.monotonic() + timeout_s
        with self._told(end, f"put {remote}"), self._channel(end) as channel, Path(local).open("rb") as file:
            channel.set_combine_stderr(True)
            channel.exec_command(f"cat >{shlex.quote(remote)} && wc -c <{shlex.quote(remote)}")
            while piece := file.read(PIECE):
                channel.settimeout(self._left(end))
                channel.sendall(piece)
            channel.shutdown_write()
            said = b"".join(self._received(channel, end, PIECE)).decode(errors="replace").strip()
            status = self._status(channel, end)
        if status != 0 or said != str(size):
            raise self._error(
                "Protocol", f"{remote} was not written: status {status}, '{said[:200]}' for {size} bytes", "see whether it has room"
            )
        return size

    def get(self, remote: str, local: Path | str, *, timeout_s: float = 60) -> int:
        """Reads a file of the device into one of this host that must not exist. Returns its bytes. NotFoundError: it cannot be read there;
        nothing is left here then."""
        end, size = time.monotonic() + timeout_s, 0
        with Path(local).open("xb") as file:
            try:
                with self._told(end, f"get {remote}"), self._channel(end) as channel:
                    channel.exec_command(f"cat {shlex.quote(remote)}")
                    for piece in self._received(channel, end, None):
                        size += file.write(piece)
                    wrong = channel.recv_stderr(PIECE).decode(errors="replace").strip() if channel.recv_stderr_ready() else ""
                    status = self._status(channel, end)
                if status != 0:
                    raise self._error(
                        "NotFound", f"{remote} cannot be read: {wrong[:200] or f'status {status}'}", "see whether it is there"
                    )
            except BaseException:
                Path(local).unlink()
                raise
        return size

    def _received(self, channel: paramiko.Channel, end: float, most: int | None) -> Iterator[bytes]:
        got = 0
        while True:
            channel.settimeout(self._left(end))
            piece = channel.recv(PIECE)
            if not piece:
                if not channel.eof_received:
                    raise EOFError  # the session has ended, not the output
                return
            got += len(piece)
            if most is not None and got > most:
                raise self._error("Exhausted", f"said more than {most} bytes", "let it write to a file, and get that")
            yield piece

    @staticmethod
    def _left(end: float) -> float:
        if (left := end - time.monotonic()) <= 0:
            raise TimeoutError  # a device that always says something more would never be late
        return left

    def _status(self, channel: paramiko.Channel, end: float) -> int:
        if not channel.status_event.wait(max(0.01, end - time.monotonic())):
            raise TimeoutError
        status = int(channel.recv_exit_status())
        if status < 0:  # RFC 4254 6.10: by a signal, or it never says
            raise self._error("Protocol", "the command ended without a status", "see whether the device killed it or lost power")
        return status

    @contextmanager
    def _channel(self, end: float) -> Iterator[paramiko.Channel]:
        channel = self._transport.open_session(timeout=max(0.01, end - time.monotonic()))
        try:
            yield channel
        finally:
            channel.close()

    @contextmanager
    def _told(self, end: float, doing: str = "") -> Iterator[None]:
        """What paramiko raises, as an error of the bench."""
        what = f"'{doing[:80]}': " if doing else ""
        # Some of its waits have no limit (exec_command; a device that takes nothing): they end with the session.
        watchdog = threading.Timer(max(0.0, end - time.monotonic()) + GRACE_S, self.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except paramiko.AuthenticationException as error:
            raise self._error(
                "PermissionDenied", f"the device lets nobody in by that ({error})", "give the user's own key or password"
            ) from error
        except TimeoutError as error:
            if hasattr(error, "kind"):
                raise  # the bench's own
            raise self._error("Timeout", f"{what}not done in its time", "give more time, or see whether the device hangs") from error
        except (EOFError, ConnectionError) as error:
            if hasattr(error, "kind"):
                raise
            raise self._error("Disconnected", f"{what}the device closed the connection", "see whether it has restarted") from error
        except paramiko.SSHException as error:
            late = time.monotonic() >= end
            gone = not late and hasattr(self, "_transport") and not self._transport.is_active()
            kind = "Timeout" if late else "Disconnected" if gone and doing else "Protocol"
            raise self._error(kind, f"{what}{error or 'it does not go on'}", "see what listens at that port") from error
        except OSError as error:
            if hasattr(error, "kind") or error.errno is not None:
                raise  # the bench's own, or of a file of this host
            kind = "Timeout" if time.monotonic() >= end else "Disconnected"  # paramiko's "Socket is closed"
            raise self._error(kind, f"{what}{error}", "see whether the device refused it, or has restarted") from error
        finally:
            watchdog.cancel()

    def _key(self, file: Path) -> paramiko.PKey:
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                return kind.from_private_key_file(str(file))
            except paramiko.SSHException:
                continue
            except OSError as error:
                raise self._error("NotFound", f"key file {file} cannot be read: {error.strerror}", "name one that is there") from error
        raise self._error("Config", f"{file} is no private key without a passphrase", "make one: ssh-keygen -t ed25519 -N ''")

    def _error(self, kind: str, cause: str, remedy: str) -> Error:
        return make(kind, self._object, cause, remedy, f"{self._object}: {cause}; {remedy}")
