# SPDX-License-Identifier: Apache-2.0
"""HTTP's Basic authentication (RFC 7617)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from hilcop.credentials.answers import Answer, Dial, shown
from hilcop.credentials.http_challenge import challenges
from hilcop.credentials.http_client import HttpReply, ask, locked_out
from hilcop.credentials.pairs import Pair


def judged(reply: HttpReply, scheme: str) -> Answer:
    """Of a path that needs a log-in: 401 with that scheme refuses (RFC 9110 15.5.2), 2xx lets in. A redirection or 403 may be either."""
    if locked := locked_out(reply):
        return locked
    if 200 <= reply.status < 300:
        return Answer("accepted", str(reply.status))
    if reply.status == 401:
        offered = [challenge.scheme for challenge in challenges(reply.all_of("www-authenticate"))]
        if scheme in offered:
            return Answer("refused", "401")
        return Answer("not_understood", f"401 that offers {', '.join(offered) or 'nothing'} and not {scheme}")
    to = next(iter(reply.all_of("location")), "")
    return Answer("not_understood", f"{reply.status}{f' to {shown(to)[:100]}' if to else ''}: give a path that answers 401 or 2xx")


@dataclass(frozen=True)
class HttpBasicLogin:
    """`path` must be one that nobody gets without a log-in. Over TLS (`tls`) no certificate is asked for its sake."""

    port: int = 80
    path: str = "/"
    tls: bool = False
    protocol: str = "http-basic"
    tries_without: bool = True
    needs_user: bool = True

    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        headers = {}
        if pair is not None:
            credentials = f"{pair.user}:{pair.password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
        return judged(ask(dial, end, "GET", self.path, tls=self.tls, headers=headers), "basic")
