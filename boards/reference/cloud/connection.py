# SPDX-License-Identifier: Apache-2.0
"""A connection of the HTTPS server that cannot be held for ever: what aiohttp leaves open is bounded here."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from records import Received

MAX_CONNECTIONS = 100
PATIENCE_S = 10.0  # from the connection to a whole request head; thrice that with a full buffer and a client that takes nothing

# What garbage does to a parser belongs in received.jsonl, not on the operator's screen.
QUIET = logging.getLogger("cloud.quiet")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class Connection(RequestHandler):
    """One of aiohttp's, which itself ends idle ones between requests."""

    __slots__ = ("_count", "_limit", "_patience_s", "_peer", "_received")

    def __init__(
        self, server: web.Server, loop: asyncio.AbstractEventLoop, received: Received, patience_s: float, count: set[Connection]
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            logger=QUIET,
            keepalive_timeout=15,
            tcp_keepalive=True,
            access_log=None,  # type: ignore[arg-type]  # aiohttp takes it as: no log
            max_line_size=4096,
            max_headers=64,
            max_field_size=4096,
            lingering_time=2,
            auto_decompress=False,  # a few bytes could become many
        )
        self._count = count
        self._received = received
        self._patience_s = patience_s
        self._limit: asyncio.TimerHandle | None = None
        self._peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._peer = str((transport.get_extra_info("peername") or ("?",))[0])
        self._count.add(self)
        if len(self._count) > MAX_CONNECTIONS:
            self._end("too many connections")
            return
        self._bound(self._patience_s, "no request head in time")

    def connection_lost(self, exc: BaseException | None) -> None:
        self._unbound()
        self._count.discard(self)
        super().connection_lost(exc)

    def request_came(self) -> None:
        self._unbound()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._bound(3 * self._patience_s, "the client takes nothing")

    def resume_writing(self) -> None:
        self._unbound()
        super().resume_writing()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        self._received.add("refused", **{"from": self._peer}, status=status, why=str(message or exc)[:500])
        if status >= 500:
            print(f"cloud: {request.method} {request.path}: {type(exc).__name__}: {exc}: a fault of the cloud itself", file=sys.stderr)
        return super().handle_error(request, status, exc, message)

    def _bound(self, seconds: float, why: str) -> None:
        self._unbound()
        self._limit = asyncio.get_running_loop().call_later(seconds, self._end, why)

    def _unbound(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _end(self, why: str) -> None:
        self._limit = None
        self._received.add("dropped", **{"from": self._peer}, why=why)
        if self.transport is not None:
            self.transport.abort()


class Listener:
    """The factory that asyncio asks for one protocol a connection."""

    def __init__(self, server: web.Server, received: Received, patience_s: float) -> None:
        self._server = server
        self._patience_s = patience_s
        self._received = received
        self._open: set[Connection] = set()

    def __call__(self) -> Any:
        return Connection(self._server, asyncio.get_running_loop(), self._received, self._patience_s, self._open)
