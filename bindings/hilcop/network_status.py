# SPDX-License-Identifier: Apache-2.0
"""What `dut.network.status()` says (harness/network/process/docs/protocol.md)."""

from __future__ import annotations

from typing import Any, TypedDict

from hilcop.captures import CaptureFigures, Failure


class DhcpCounts(TypedDict):
    received: int
    malformed: int
    replies: int
    lost: int  # that the kernel had no room for: not seen, not told


class DnsCounts(TypedDict):
    queries: int
    malformed: int
    answered: int
    silent: int
    failed: int
    names: int  # that were given an address of their own


class NtpCounts(TypedDict):
    requests: int
    answered: int


class ServiceFigures(TypedDict):
    dhcp: DhcpCounts
    dns: DnsCounts
    ntp: NtpCounts
    leases: dict[str, str]  # MAC: the address that was acknowledged last
    failures: list[Failure]  # of services that serve no more: what was not asked of them proves nothing


class WireCounts(TypedDict):
    """Frames of one direction."""

    arrived: int
    passed: int
    lost: int
    duplicated: int
    corrupted: int
    reordered: int
    overflowed: int
    cut: int  # came while the wire was cut, or nothing was plugged in
    not_kept: int  # the kernel had no room for it
    not_taken: int  # by the other end


class Clash(TypedDict):
    address: str  # of the gateway's
    mac: str  # who says that it is his


class DatagramCounts(TypedDict):
    quic: int
    dtls: int
    lost: int  # where it is not 0 nothing proves that there was none


class InterceptionCounts(TypedDict):
    accepted: int
    ended: int
    turned_away: int
    accept_failures: int
    no_longer_kept: int
    datagrams: DatagramCounts


class NetworkStatus(TypedDict, total=False):
    """On a shared network `plugged`, `hosts`, `interface`, `captures`, the counts of the wire and the leases are of the DUT's own port; the
    services and their counts, the filter, the interception and `events_lost` are everybody's."""

    plugged: bool  # something is at the other end of the cable
    hosts: dict[str, list[str]]  # MAC: addresses that it has spoken as, of IPv4 and IPv6, however it came to them
    hosts_left_out: int  # frames of others, where there were more than 64, or of one more than 64 addresses
    interface: str | None  # of this host, that the device hangs on
    address: str  # of the gateway, "10.77.0.1/24"
    address6: str
    services: ServiceFigures
    captures: dict[str, CaptureFigures]  # by their name, without `files`
    from_device: WireCounts
    to_device: WireCounts
    port_queue_dropped: int
    filter: dict[str, Any]  # packets by rule; `failure`: why there is no filter
    clashes: list[Clash]
    interception: InterceptionCounts | None
    events_lost: int
    ports: dict[str, Any]  # of a shared network: all of them, by DUT
