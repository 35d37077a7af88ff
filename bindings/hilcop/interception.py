# SPDX-License-Identifier: Apache-2.0
"""The bench in the place of every TLS server that a DUT calls (harness/network/intercept/docs)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hilcop.errors import make

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
class Intercepted:
    """One connection of the device. Only `sent_application_data` proves that a flaw was accepted; a refusal proves something only where the
    sound case of the same host was answered with data; the last three outcomes say nothing of the device."""

    outcome: Outcome
    case: str | None  # that it was given
    name: str  # of the host it wants, by SNI or by the address that was given out; "": not known
    cause: str  # a sentence for people
    data: str  # what it sent, decrypted; bytes that are no text as \xNN
    all: dict[str, Any]  # everything (harness/network/intercept/intercepted_connection.h)


class Interception:
    """Calls block `timeout_s` seconds at most."""

    def __init__(self, port: NetworkPort) -> None:
        self._port = port

    def plan(self, cases: Sequence[str], *, server_name: str = "", address: str = "", port: int = 0, timeout_s: float = 5) -> None:
        """The first connection to such a target gets the first case, the next the second, all after the last the last. Without a target:
        the one case of all others."""
        target = {"server_name": server_name, "address": address, "port": port}
        how: dict[str, Any] = {"cases": list(cases)}
        if any(target.values()):
            how["target"] = target
        self._port.change("intercept.plan", how, timeout_s=timeout_s)

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
        """All that have ended, in that order. ExhaustedError: so many came that the first of them are no longer kept."""
        target = {"server_name": server_name, "address": address, "port": port}
        found = self._port.ask("intercept.ended", {"target": target, "since_ns": since_ns}, timeout_s=timeout_s)
        if lost := found["no_longer_kept"]:
            cause = f"{lost} of its connections are no longer kept, so that nothing can be said of all"
            remedy = "look sooner, or at the capture"
            raise make("Exhausted", "TLS interception", cause, remedy, f"TLS interception: {cause}; {remedy}")
        return [self._made(connection) for connection in found["connections"]]

    @staticmethod
    def _made(connection: dict[str, Any]) -> Intercepted:
        kept = {key: connection[key] for key in ("outcome", "case", "name", "cause", "data")}
        return Intercepted(**kept, all=connection)
