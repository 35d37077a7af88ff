# SPDX-License-Identifier: Apache-2.0
"""The bench in the place of every TLS server that a DUT calls (harness/network/intercept/docs)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from hilcop.errors import make
from hilcop.intercept_cases import InterceptCase

if TYPE_CHECKING:
    from hilcop._hilcop import NetworkPort

Outcome = Literal[
    "never_came",
    "refused_in_handshake",
    "refused_after_handshake",
    "completed_sent_nothing",
    "sent_application_data",
    "not_tls",
    "not_testable",
    "not_judged",
]


@dataclass(frozen=True)
class Banner:
    """What a server says first, such as SMTP's "220 mail.example ESMTP\\r\\n", to the connections that meet all that is given."""

    text: str
    port: int = 0
    server_name: str = ""
    address: str = ""
    at_once: bool = False  # in plain text as soon as the client has come; else right after its handshake


@dataclass(frozen=True)
class HttpAnswer:
    """What is said to a request of HTTP for that path, to connections that meet all that is given: many a device goes on only with what its
    register call was answered."""

    path: str  # "/v1/register"; what stands behind a '?' does not count
    body: str = ""
    status: int = 200
    content_type: str = "application/json"
    server_name: str = ""
    address: str = ""
    port: int = 0


@dataclass(frozen=True)
class Intercepted:
    """One connection of the device. Only `sent_application_data` proves that a flaw was accepted; a refusal proves something only where the
    sound case of the same host was answered with data; the last three outcomes say nothing of the device."""

    outcome: Outcome
    case: InterceptCase | None  # that it was given; None: it never said, by a ClientHello, that it wants TLS
    name: str  # of the host it wants, by SNI or by the address that was given out; "": not known
    cause: str  # a sentence for people
    data: str
    """What it sent, decrypted, the first 64 KiB; bytes that are no text as \\xNN. Of ended() the first 4,096 bytes alone (256 where it
    lists more than 500): `all["data_bytes"]` are kept, `all["data_cut"]`: it sent more than stands here."""
    all: dict[str, Any]  # everything (harness/network/intercept/intercepted_connection.h)


class Interception:
    """Calls block `timeout_s` seconds at most. A connection has 10 s for its handshake, 10 s for its first data, 3 s of silence after data,
    and 60 s in all: it ends then, whatever the device does."""

    def __init__(self, port: NetworkPort) -> None:
        self._port = port

    def plan(
        self, cases: Sequence[InterceptCase], *, server_name: str = "", address: str = "", port: int = 0, timeout_s: float = 5
    ) -> None:
        """The first connection to such a target gets the first case, the next the second, all after the last the last. Without a target:
        the one case of all others."""
        target = {"server_name": server_name, "address": address, "port": port}
        how: dict[str, Any] = {"cases": list(cases)}
        if any(target.values()):
            how["target"] = target
        self._port.change("intercept.plan", how, timeout_s=timeout_s)

    def answer(self, answers: Sequence[HttpAnswer], *, timeout_s: float = 5) -> None:
        """From now on, in the place of all before: the first that a request meets. To others a bare 200 is said. ConfigError: a path
        without '/', a status under 200."""
        self._port.change("intercept.answers", {"answers": [asdict(answer) for answer in answers]}, timeout_s=timeout_s)

    def wait(
        self, *, server_name: str = "", address: str = "", port: int = 0, since_ns: int | None = None, timeout_s: float = 60
    ) -> Intercepted:
        """The first connection of that target that came at or after `since_ns` (steady clock; default: now) and has ended; never_came where
        none came in time."""
        target = {"server_name": server_name, "address": address, "port": port}
        since = time.monotonic_ns() if since_ns is None else since_ns
        return self._made(self._port.ask("intercept.wait", {"target": target, "since_ns": since}, timeout_s=timeout_s))

    def ended(
        self, *, server_name: str = "", address: str = "", port: int = 0, since_ns: int = 0, timeout_s: float = 5
    ) -> list[Intercepted]:
        """All that have ended, in that order; those that go on are not among them, and what they will say is not known: see going().
        ExhaustedError: so many came that the first of them are no longer kept."""
        found = self._ended(server_name, address, port, since_ns, timeout_s)
        if lost := found["no_longer_kept"]:
            cause = f"{lost} of its connections are no longer kept, so that nothing can be said of all"
            remedy = "look sooner, or at the capture"
            raise make("Exhausted", "TLS interception", cause, remedy, f"TLS interception: {cause}; {remedy}")
        return [self._made(connection) for connection in found["connections"]]

    def going(self, *, server_name: str = "", address: str = "", port: int = 0, since_ns: int = 0, timeout_s: float = 5) -> int:
        """How many of that target that came at or after `since_ns` still go on. Until it is 0 nothing proves that a device has said
        nothing. Ask it before ended(): one that ends in between is in both, and none is missed. One that has only just come, whose target
        is not known yet, counts whatever the target."""
        going: int = self._ended(server_name, address, port, since_ns, timeout_s)["going"]
        return going

    def _ended(self, server_name: str, address: str, port: int, since_ns: int, timeout_s: float) -> dict[str, Any]:
        target = {"server_name": server_name, "address": address, "port": port}
        found: dict[str, Any] = self._port.ask("intercept.ended", {"target": target, "since_ns": since_ns}, timeout_s=timeout_s)
        return found

    @staticmethod
    def _made(connection: dict[str, Any]) -> Intercepted:
        kept = {key: connection[key] for key in ("outcome", "case", "name", "cause", "data")}
        return Intercepted(**kept, all=connection)
