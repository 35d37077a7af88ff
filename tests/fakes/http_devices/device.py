# SPDX-License-Identifier: Apache-2.0
"""What all of them share: the server, and the ways to misbehave."""

from __future__ import annotations

import enum
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit


class Fault(enum.Enum):
    NONE = "answers as it should"
    LIES = "says that it switched and does nothing"
    SLOW = "answers after 30 s"
    FAILS = "answers with status 500"
    GARBAGE = "answers with what is no HTTP"
    HALF_CLOSES = "breaks off in the middle of its answer, and closes its half of the connection"
    CHUNKED = "answers in chunks of one byte"
    HUGE = "answers with a body that does not end"


@dataclass
class Request:
    method: str
    path: str
    target: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


class Login(ABC):
    @abstractmethod
    def admits(self, request: Request) -> bool: ...

    @abstractmethod
    def challenge(self) -> Answer: ...


class Device(ABC):
    """Its relays, as the world sees them, and what it was asked. To be used as a context manager."""

    def __init__(self, relays: int = 1, login: Login | None = None) -> None:
        self.on = [False] * relays
        self.switched: list[tuple[int, bool]] = []
        self.fault = Fault.NONE
        self.slow_s = 30.0
        self.login = login
        self.requests: list[Request] = []
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.device = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """To a request of somebody whom it admits."""

    def switch(self, relay: int, on: bool) -> None:
        self.switched.append((relay, on))
        if self.fault is not Fault.LIES:
            self.on[relay] = on

    def use_tls(self, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    device: Device
    daemon_threads = False  # server_close() then waits for what is still being answered

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes before it was answered is what many tests want."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 5

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        device = self.server.device
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, self.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)
        device.requests.append(request)
        if device.fault is Fault.SLOW and device.ended.wait(device.slow_s):
            self.close_connection = True
            return
        if device.fault is Fault.FAILS:
            self.send(Answer(500, "out of memory"))
        elif device.login and not device.login.admits(request):
            self.send(device.login.challenge())
        else:
            self.send(device.answer(request))

    do_POST = do_GET

    def send(self, answer: Answer) -> None:
        fault = self.server.device.fault
        body = answer.body.encode()
        if fault is Fault.GARBAGE:
            self.close_connection = True
            self.wfile.write(b"\x00\xff{]<garbage>\r\n\r\n")
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if fault is Fault.CHUNKED:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for byte in body:
                self.wfile.write(b"1\r\n" + bytes([byte]) + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif fault is Fault.HUGE:
            self.end_headers()
            while not self.server.device.ended.is_set():
                self.wfile.write(b" " * 65536)
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            half = fault is Fault.HALF_CLOSES
            self.wfile.write(body[: len(body) // 2] if half else body)
            if half:
                self.connection.shutdown(socket.SHUT_WR)
                self.close_connection = True
