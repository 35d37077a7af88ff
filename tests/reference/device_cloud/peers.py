# SPDX-License-Identifier: Apache-2.0
"""Whom a device can meet on a network: servers with any certificate or none, lines that break, somebody who listens between."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from ht1 import Key, certificate_pem, key_pem, new_key

LIMIT_S = 20
MQTT_ACCEPTED = b"\x20\x02\x00\x00"
TOKEN = b'{"token": "of-a-strange-server"}'
REGISTERED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(TOKEN), TOKEN)


class Peer:
    """Takes calls on a port of this host, each in a thread of its own; `heard` is what each call gave away, once it was over or changed."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.calls: list[float] = []
        self.heard: list[bytes] = []
        self.over = 0  # calls that ended
        self._ended, self._end = socket.socketpair()
        self._threads = [threading.Thread(target=self._take, daemon=True)]
        self._threads[0].start()

    def _take(self) -> None:
        while self._listening in select.select([self._listening, self._ended], [], [])[0]:
            line, _ = self._listening.accept()
            line.settimeout(LIMIT_S)
            self.calls.append(time.monotonic())
            self.heard.append(b"")
            self._threads.append(threading.Thread(target=self._one, args=(line, len(self.heard) - 1), daemon=True))
            self._threads[-1].start()

    def _one(self, line: socket.socket, number: int) -> None:
        with line, contextlib.suppress(OSError):  # a refusal by the device is an ssl.SSLError, which is one
            self.serve(line, number)
        self.over += 1

    def serve(self, line: socket.socket, number: int) -> None:
        """What it does with a call; this one hangs up at once."""

    def add(self, number: int, data: bytes) -> None:
        self.heard[number] += data

    def all_heard(self) -> bytes:
        return b"".join(self.heard)

    def close(self) -> None:
        self._end.close()
        self._threads[0].join(LIMIT_S)
        self._listening.close()
        self._ended.close()


class Server(Peer):
    """Answers what it takes for a registration or for a connection to a broker, and keeps listening. TLS when it has a certificate."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        super().__init__()

    def serve(self, line: socket.socket, number: int) -> None:
        with self._tls.wrap_socket(line, server_side=True) if self._tls else line as inner:
            answered = False
            while data := inner.recv(4096):
                self.add(number, data)
                so_far = self.heard[number]
                if not answered and so_far.startswith(b"POST ") and so_far.endswith(b"}"):
                    answered = True
                    inner.sendall(REGISTERED)
                if not answered and so_far.startswith(b"\x10"):
                    answered = True
                    inner.sendall(MQTT_ACCEPTED)


class Between(Peer):
    """Passes everything on to a port, unchanged, and hears it."""

    def __init__(self, to: int) -> None:
        self._to = to
        super().__init__()

    def serve(self, line: socket.socket, number: int) -> None:
        with socket.create_connection(("127.0.0.1", self._to), LIMIT_S) as further:
            other = {line: further, further: line}
            while True:
                for side in select.select([line, further], [], [], LIMIT_S)[0]:
                    data = side.recv(4096)
                    if not data:
                        return
                    self.add(number, data)
                    other[side].sendall(data)


def context_of(folder: Path, certificate: bytes, key: Key) -> ssl.SSLContext:
    folder.mkdir()
    (folder / "crt").write_bytes(certificate)
    (folder / "key").write_bytes(key_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    return context


Issuer = tuple[x509.Certificate, Key]


def certificates(folder: Path, maker: Issuer, name: str) -> dict[str, Callable[[], ssl.SSLContext]]:
    """For the server `name`: the right one, and one of each kind that must not be believed."""
    rogue_key = new_key()
    rogue = x509.load_pem_x509_certificate(certificate_pem("HT-1 lab cloud CA", rogue_key)), rogue_key
    kinds = {
        "right": (name, maker, 30),
        "rogue": (name, rogue, 30),
        "other name": ("www.other.example", maker, 30),
        "expired": (name, maker, -1),
    }

    def made(kind: str) -> ssl.SSLContext:
        whose, by, days = kinds[kind]
        key = new_key()
        return context_of(folder / f"{name} {kind}", certificate_pem(whose, key, by, days), key)

    return {kind: (lambda kind=kind: made(kind)) for kind in kinds}  # type: ignore[misc]
