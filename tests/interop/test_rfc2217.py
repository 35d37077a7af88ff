# SPDX-License-Identifier: Apache-2.0
"""hilcop's RFC 2217 client against pyserial's server, and against servers that are ill: as a user meets them, through a bench."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial  # type: ignore[import]
import serial.rfc2217  # type: ignore[import]

SOURCE = os.environ["HILCOP_SOURCE_DIR"]

BENCH = """
bench: network
instruments:
  line: {{ driver: rfc2217, host: 127.0.0.1, port: {port}, baud: 57600, answer_ms: 400 }}
duts:
  a: {{ board: plain.yaml, consoles: {{ main: {{ instrument: line, channel: a }} }} }}
"""

TALK = """
import hilcop, pathlib
with hilcop.open_bench("bench.yaml") as bench:
    console = bench.dut("a").console
    said = pathlib.Path("said").read_bytes()
    console.write(said)
    console.expect("END", timeout_s=10)
    pathlib.Path("heard").write_bytes(console.bytes(0, len(said)))
"""
SAID = bytes(range(256)) + b"\xff\xff\r\n\r\0END"


class Server:
    """A listening socket; each client is handed to `serve` on a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.serve = serve
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.handle, args=(client,), daemon=True).start()

    def handle(self, client: socket.socket) -> None:
        with client:
            try:
                self.serve(client)
            except OSError:
                return


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    made: list[Server] = []
    yield made
    for server in made:
        server.listener.close()


class Loop:
    """pyserial's server on its own loop-back port: what is sent comes back."""

    def __init__(self) -> None:
        self.port = serial.serial_for_url("loop://", timeout=0.01)

    def __call__(self, client: socket.socket) -> None:
        connection = client.makefile("rwb", buffering=0)
        manager = serial.rfc2217.PortManager(self.port, connection)
        client.settimeout(0.01)
        while True:
            waiting = self.port.read(self.port.in_waiting or 1)
            if waiting:
                client.sendall(b"".join(manager.escape(waiting)))
            try:
                data = client.recv(4096)
            except TimeoutError:
                continue
            if not data:
                return
            self.port.write(b"".join(manager.filter(data)))


def talk(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    (folder / "plain.yaml").write_text("board: plain\n")
    (folder / "bench.yaml").write_text(BENCH.format(port=port))
    (folder / "said").write_bytes(SAID)
    environment = {
        **os.environ,
        "HILCOP_RUNTIME_DIR": str(folder / "runtime"),
        "HILCOP_STATE_DIR": str(folder / "state"),
        "HILCOP_HOME": SOURCE,
    }
    return subprocess.run(
        [sys.executable, "-c", TALK], cwd=folder, env=environment, capture_output=True, text=True, timeout=40, check=False
    )


def test_pyserials_server_is_set_as_the_bench_says_and_passes_every_byte(tmp_path: Path, servers: list[Server]) -> None:
    loop = Loop()
    servers.append(Server(loop))
    done = talk(tmp_path, servers[0].port)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "heard").read_bytes() == SAID
    assert loop.port.baudrate == 57600


def one_byte_at_a_time(client: socket.socket) -> None:
    """Agrees to whatever it is asked, answers no COM port command, and echoes, a byte a packet."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while chunk := client.recv(4096):
        data += chunk
        out = b""
        while data:
            if data[0] != 0xFF:
                out, data = out + data[:1], data[1:]
            elif len(data) > 1 and data[1] == 0xFF:
                out, data = out + data[:2], data[2:]
            elif len(data) > 1 and data[1] == 0xFA:
                if b"\xff\xf0" not in data:
                    break
                data = data.split(b"\xff\xf0", 1)[1]
            elif len(data) > 2:
                out, data = out + bytes([0xFF, {0xFB: 0xFD, 0xFD: 0xFB}.get(data[1], 0xFC), data[2]]), data[3:]
            else:
                break
        for byte in out:
            client.sendall(bytes([byte]))


def test_a_server_that_answers_no_command_is_used_all_the_same(tmp_path: Path, servers: list[Server]) -> None:
    servers.append(Server(one_byte_at_a_time))
    begin = time.monotonic()
    done = talk(tmp_path, servers[0].port)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "heard").read_bytes() == SAID
    assert time.monotonic() - begin < 20


def silent(client: socket.socket) -> None:
    while client.recv(4096):
        pass


def garbage(client: socket.socket) -> None:
    client.sendall(bytes(range(256)) * 64)
    silent(client)


def torn(client: socket.socket) -> None:
    client.recv(3)
    client.sendall(b"\xff\xfd\x2c\xff\xfa\x2c\x65\x00")
    client.shutdown(socket.SHUT_RDWR)


def endless(client: socket.socket) -> None:
    client.sendall(b"\xff\xfd\x2c\xff\xfa" + b"x" * 100_000)
    silent(client)


def terminal_sizes(client: socket.socket) -> None:
    while True:
        client.sendall(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0" * 1000)


@pytest.mark.parametrize(
    ("ill", "said"),
    [
        (silent, "no RFC 2217"),
        (garbage, "rfc2217:127.0.0.1"),
        (torn, "closed the connection"),
        (endless, "has no end"),
        (terminal_sizes, "rfc2217:"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_that_is_none_is_an_error_in_time(
    ill: Callable[[socket.socket], None], said: str, tmp_path: Path, servers: list[Server]
) -> None:
    servers.append(Server(ill))
    begin = time.monotonic()
    done = talk(tmp_path, servers[0].port)
    assert done.returncode != 0
    assert "hilcop" in done.stderr
    assert said in done.stderr, done.stderr
    assert time.monotonic() - begin < 15
