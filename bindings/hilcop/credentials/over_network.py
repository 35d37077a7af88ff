# SPDX-License-Identifier: Apache-2.0
"""Log-ins over the bench's network, told on the timeline and in the capture."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from hilcop.credentials import login_named
from hilcop.credentials.answers import Answer, Dial, NetworkLogin
from hilcop.credentials.login_probe import LoginProbe
from hilcop.credentials.pairs import Pair
from hilcop.credentials.prober import Asked, Pace, Pairs, answer_of, list_of, probe
from hilcop.errors import DisconnectedError, Error, NotFoundError
from hilcop.errors import TimeoutError as BenchTimeoutError

if TYPE_CHECKING:
    from hilcop.network_status import NetworkStatus


class Bench(Protocol):
    """What reaches the device, and where it is told: dut.network."""

    def connect(self, address: str, port: int, *, timeout_s: float = ...) -> socket.socket: ...
    def status(self, *, timeout_s: float = ...) -> NetworkStatus: ...
    def tell(self, text: str, **data: Any) -> None: ...


def try_network_logins(
    network: Bench, login: NetworkLogin | str, pairs: Pairs, *, control: tuple[str, str] | None, address: str, pace: Pace, end: float
) -> LoginProbe:
    asks = login_named(login) if isinstance(login, str) else login
    listed = list_of(pairs)
    target = f"{address} port {asks.port}"

    def connect(timeout_s: float) -> socket.socket:
        try:
            return network.connect(address, asks.port, timeout_s=timeout_s)
        except BenchTimeoutError as error:
            raise TimeoutError from error
        except (DisconnectedError, NotFoundError) as error:
            raise ConnectionRefusedError(errno.ECONNREFUSED, error.cause) from error

    def attempt(pair: Pair | None, by: float) -> Answer:
        answer = answer_of(lambda: asks.attempt(Dial(address, asks.port, connect), pair, by))
        # The status raises where it is the bench's own network that has gone, and not the device's service.
        if answer.outcome in ("disconnected", "no_answer") and not network.status()["plugged"]:
            return Answer("not_understood", f"{answer.outcome}, and nothing is plugged in: see the cable and whether the device has power")
        return answer

    which = {"protocol": asks.protocol, "target": target, "list_name": listed.name, "list_sha256": listed.sha256, "pairs": len(listed)}
    network.tell(f"log-ins by {asks.protocol} at {target}: {len(listed)} pairs of list {listed.name} begin", **which)
    pace = replace(pace, timeout_s=max(0.1, end - time.monotonic()))
    try:
        found = probe(Asked(asks.protocol, target, attempt, asks.tries_without, asks.needs_user), listed, control, pace)
    except BaseException as error:
        with contextlib.suppress(Error):  # what ended it is what is to be known
            network.tell(f"log-ins by {asks.protocol} at {target} end: {type(error).__name__}", **which)
        raise
    network.tell(f"log-ins by {asks.protocol} at {target} end: {len(found.accepted)} of {len(found.attempts)} accepted", **found.summary())
    return found
