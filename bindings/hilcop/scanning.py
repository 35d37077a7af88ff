# SPDX-License-Identifier: Apache-2.0
"""What a DUT's ports answer: results of `dut.network.scan_tcp()`, `scan_udp()` and `watch_ports()`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hilcop._hilcop import NetworkPort

UdpState = Literal["answered", "closed", "silent"]


@dataclass(frozen=True)
class Heartbeat:
    """How the device bore a scan: echo requests beside it, or connections to a port that answers where it answers none. Round trips in
    seconds."""

    kind: Literal["echo", "closed port", "open port"] | None  # None: nothing of the device ever answered
    beats: int
    missed: int
    at_rest_s: float  # before the first probe
    median_s: float
    worst_s: float
    slowest_rate: float  # probes a second that the scan was slowed down to
    held_s: float  # that nothing was asked, for the device did not answer


@dataclass(frozen=True)
class TcpScan:
    """Every TCP port of an address, asked for a connection that is reset at once. A port that is not in `open` is proved to be closed by a
    `complete` scan alone, and not where it stands in `filtered` (it never answered: a packet filter, as the device wants it)."""

    address: str
    open: tuple[int, ...]
    unconfirmed: tuple[int, ...]  # of `open`: a second connection after the scan was not accepted
    closed: int  # how many refused
    filtered: str  # those that said nothing however often they were asked, as "1-21,23"
    filtered_count: int
    not_known: str  # the same of those that were not asked often enough
    not_known_count: int
    incomplete: str | None  # why an absence proves nothing
    probes: int
    took_s: float
    heartbeat: Heartbeat

    @property
    def complete(self) -> bool:
        return self.incomplete is None


@dataclass(frozen=True)
class UdpPort:
    service: str
    port: int
    state: UdpState  # silent is not closed: a service need not know the question
    from_port: int  # that answered; 0: none
    answer: bytes  # its first 256 bytes
    answer_bytes: int  # how long it was


@dataclass(frozen=True)
class UdpScan:
    """Services of UDP, each asked its own question. Only an answer tells that something is there; nothing proves that it is not."""

    address: str
    ports: tuple[UdpPort, ...]
    complete: bool

    @property
    def answered(self) -> tuple[UdpPort, ...]:
        return tuple(port for port in self.ports if port.state == "answered")


@dataclass(frozen=True)
class WatchedPort:
    address: str
    port: int
    asked: int  # connections
    answered: int  # accepted or refused
    open: int  # accepted
    first_open_ns: int | None  # these four: steady clock, when it was asked what then was answered so
    last_open_ns: int | None
    first_answered_ns: int | None
    last_answered_ns: int | None


class PortWatch:
    """Ports that are asked again and again while a device boots. Its changes are events network.port on the timeline."""

    def __init__(self, port: NetworkPort) -> None:
        self._port = port
        self.ports: tuple[WatchedPort, ...] = ()
        self.rounds = 0
        self.longest_gap_s = 0.0  # between two rounds: what was open for shorter may not have been seen
        self.failure: str | None = None  # why it ended too early: an absence proves nothing

    @property
    def seen_open(self) -> frozenset[int]:
        """At any address."""
        return frozenset(port.port for port in self.ports if port.open)

    @property
    def by_address(self) -> dict[str, tuple[WatchedPort, ...]]:
        """Of each address that was asked. One says nothing of another: where no port ever answered, nobody may have been there."""
        addresses = dict.fromkeys(port.address for port in self.ports)
        return {address: tuple(port for port in self.ports if port.address == address) for address in addresses}

    def update(self, *, timeout_s: float = 5) -> None:
        """What is known by now."""
        self._take(self._port.ask("watch_ports.status", {}, timeout_s=timeout_s))

    def stop(self, *, timeout_s: float = 5) -> None:
        self._take(self._port.change("watch_ports.stop", {}, timeout_s=timeout_s))

    def _take(self, figures: Mapping[str, Any]) -> None:
        self.ports = tuple(WatchedPort(**port) for port in figures["ports"])
        self.rounds, self.longest_gap_s, self.failure = figures["rounds"], figures["longest_gap_s"], figures["failure"]


def tcp_scan_of(result: Mapping[str, Any]) -> TcpScan:
    open_ports = result["open"]
    rest = {key: value for key, value in result.items() if key not in ("open", "heartbeat")}
    return TcpScan(
        open=tuple(port["port"] for port in open_ports),
        unconfirmed=tuple(port["port"] for port in open_ports if not port["confirmed"]),
        heartbeat=Heartbeat(**result["heartbeat"]),
        **rest,
    )


def udp_scan_of(result: Mapping[str, Any]) -> UdpScan:
    ports = tuple(
        UdpPort(port["service"], port["port"], port["state"], port["from_port"], bytes.fromhex(port["answer_hex"]), port["answer_bytes"])
        for port in result["ports"]
    )
    return UdpScan(result["address"], ports, result["complete"])
