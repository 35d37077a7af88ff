# SPDX-License-Identifier: Apache-2.0
"""One question of HTTP/1.1 on one connection (RFC 9112), and what its status says of a log-in (RFC 9110)."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from hilcop.credentials.answers import Answer, Dial, Unintelligible, shown, speaks_of_lockout
from hilcop.credentials.wire import opened, soon

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

MOST_BODY = 64 << 10
BODY_WITHIN_S = 3.0  # after its head: a device that never ends its answer has answered all the same


@dataclass(frozen=True)
class HttpReply:
    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)  # its first 64 KiB
    cut: bool = False  # there is more of it, or may be: nothing is absent from it for certain

    def all_of(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def ask(
    dial: Dial, end: float, method: str, path: str, *, tls: bool = False, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> HttpReply:
    """Raises TimeoutError, ConnectionError, Unintelligible."""
    host = f"[{dial.address}]" if ":" in dial.address else dial.address
    lines = {"Host": f"{host}:{dial.port}", "User-Agent": "hilcop", "Accept": "*/*", "Connection": "close", **(headers or {})}
    if body or method == "POST":
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with opened(dial, end, tls=tls) as wire:
        wire.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        response = http.client.HTTPResponse(cast("socket.socket", wire), method=method)
        try:
            response.begin()
        except http.client.RemoteDisconnected:
            raise
        except (http.client.HTTPException, ValueError) as error:
            raise Unintelligible(f"no HTTP: {type(error).__name__} {shown(str(error))}") from error
        wire.end = soon(end, BODY_WITHIN_S)
        return HttpReply(response.status, tuple(response.getheaders()), *_body_of(response))


def _body_of(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    """And whether it is cut."""
    body = b""
    try:
        while len(body) <= MOST_BODY and (piece := response.read1(8192)):
            body += piece
    except (OSError, http.client.HTTPException, Unintelligible, ValueError):
        return body[:MOST_BODY], True  # its status has answered all the same
    return body[:MOST_BODY], len(body) > MOST_BODY or bool(response.length)  # a length that was announced, and did not come


def locked_out(reply: HttpReply) -> Answer | None:
    """By 429 Too Many Requests (RFC 6585 4), 423 Locked (RFC 4918 11.3), 503 with Retry-After (RFC 9110 15.6.4), or its own words."""
    again = next(iter(reply.all_of("retry-after")), "")
    after = f", Retry-After: {shown(again)}" if again else ""
    if reply.status in (423, 429) or (reply.status == 503 and again):
        return Answer("locked_out", f"{reply.status}{after}")
    if reply.status in (400, 401, 403, 503) and speaks_of_lockout(reply.text):
        return Answer("locked_out", f"{reply.status}: {shown(reply.text)}")
    return None
