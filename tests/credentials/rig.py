# SPDX-License-Identifier: Apache-2.0
"""Devices of a test's own on loopback, and what dut.network is to them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hilcop.credentials import LoginProbe, NetworkLogin
from hilcop.credentials.answers import Answer, Dial
from hilcop.credentials.over_network import try_network_logins
from hilcop.credentials.pairs import Pair
from hilcop.credentials.prober import Pace, Pairs, answer_of

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

import loopback_ports

HOME = "127.0.0.1"
free_port = loopback_ports.free_port


class Loopback:
    """Reaches this host, as dut.network reaches a device, and keeps what is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def connect(self, address: str, port: int, *, timeout_s: float = 10) -> socket.socket:
        return socket.create_connection((address, port), timeout_s)

    def status(self, *, timeout_s: float = 5) -> dict[str, Any]:
        assert timeout_s > 0
        return {"plugged": True}

    def tell(self, text: str, **data: Any) -> None:
        self.told.append((text, data))


def pace(**other: Any) -> Pace:
    how = {"interval_s": 0, "answer_within_s": 10, "max_attempts": 1000, "control_every": 10, "stop_at_lockout": True, "timeout_s": 40}
    return Pace(**{**how, **other})


def tried(
    login: NetworkLogin | str, pairs: Pairs, control: tuple[str, str] | None, *, network: Loopback | None = None, **how: Any
) -> LoginProbe:
    end = time.monotonic() + how.get("timeout_s", 40)
    return try_network_logins(network or Loopback(), login, pairs, control=control, address=HOME, pace=pace(**how), end=end)


def one(login: NetworkLogin, pair: tuple[str, str] | None, within_s: float = 10) -> Answer:
    """A single log-in."""
    dial = Dial(HOME, login.port, lambda seconds: socket.create_connection((HOME, login.port), seconds))
    return answer_of(lambda: login.attempt(dial, None if pair is None else Pair(*pair), time.monotonic() + within_s))


@contextmanager
def running(command: Sequence[str | Path], port: int, log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A server, once it listens at the port; in a process group of its own, of which nothing is left."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **more)
    try:
        end = time.monotonic() + 20
        while not listens(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def listens(port: int) -> bool:
    """By what the kernel says: a connection would be one more for the server to count."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].rpartition(":")[2], 16) == port and words[3] == "0A":
                return True
    return False


class Device:
    """Serves each connection with `serve`, on a thread of its own, until it ends."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((HOME, 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # which wakes accept()
        self._listener.close()
        self._thread.join(20)
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            self.connections += 1
            self._open.append(connection)
            threads.append(threading.Thread(target=self._handle, args=(connection,), daemon=True))
            threads[-1].start()

    def _handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._serve(connection)
