# SPDX-License-Identifier: Apache-2.0
"""Which address a DUT is reached at: what the bench's DHCP gave it, and what is said where it took none."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import TYPE_CHECKING

from hilcop._hilcop import wait_until
from hilcop.errors import Error, make

if TYPE_CHECKING:
    from hilcop.network_status import NetworkStatus

POLL_NS = 50_000_000
LEAST_S = 0.1  # that the network has to answer
MOST_TOLD = 3


def given_address(status: Callable[[float], NetworkStatus], mac: str, timeout_s: float) -> str:
    """Network.address. `status`: asks within so many seconds."""
    end = time.monotonic_ns() + int(timeout_s * 1e9)
    while True:
        now = status(max(LEAST_S, (end - time.monotonic_ns()) / 1e9))
        leases = {host: lease for host, lease in now["services"]["leases"].items() if mac.lower() in ("", host)}
        if leases:
            break
        if time.monotonic_ns() > end:
            raise _none_in_time(now, mac, timeout_s)
        wait_until(min(end, time.monotonic_ns() + POLL_NS))
    if len(leases) > 1:
        raise _error("Config", f"{len(leases)} hosts took addresses there: {leases}", "say which is meant by its mac")
    return next(iter(leases.values()))


def _none_in_time(now: NetworkStatus, mac: str, timeout_s: float) -> Error:
    cause = f"the device took no address in {timeout_s:g} s"
    spoken = _spoken(now, mac)
    if not spoken:
        return _error("Timeout", cause, "see whether it has power, a link and uses DHCP")
    cause += f", but speaks as {', '.join(str(address) for address in spoken[:MOST_TOLD])}"
    first = spoken[0]
    if first in IPv4Interface(now["address"]).network:
        return _error("Timeout", cause, f"it has that one without asking for it, and is reached there: say address='{first}'")
    if first.is_link_local:
        return _error("Timeout", cause, "one that it gave itself, as nobody answered its DHCP: see what was told DHCP before")
    subnet = IPv4Network(f"{first}/24", strict=False)
    free = next(address for address in subnet.hosts() if address not in spoken)
    remedy = f"a fixed address: give the bench one there with network.dhcp(new_subnet='{free}'), and say address='{first}'"
    return _error("Timeout", cause, remedy)


def _spoken(now: NetworkStatus, mac: str) -> list[IPv4Address]:
    """As what it has spoken of IPv4; what nobody gives himself first."""
    addresses = {
        IPv4Address(text) for host, texts in now["hosts"].items() if mac.lower() in ("", host) for text in texts if ":" not in text
    }
    return sorted(addresses, key=lambda address: (address.is_link_local, address))


def _error(kind: str, cause: str, remedy: str) -> Error:
    return make(kind, "network", cause, remedy, f"network: {cause}; {remedy}")
