# SPDX-License-Identifier: Apache-2.0
"""What can be dead on a DUT's network, and how the network is told (harness/network/process/docs/protocol.md)."""

from __future__ import annotations

from typing import Any, Literal

Outage = Literal["link", "wire", "dhcp", "dns", "ntp", "router", "router_leaves", "gateway", "internet", "host"]


def outage_change(what: Outage, on: bool, host: str) -> tuple[str, dict[str, Any]] | None:
    """The operation that begins or ends an outage; None for the link, which the bench pulls. ValueError: there is none such."""
    if (what == "host") != bool(host):
        raise ValueError("give `host` with the outage 'host', and with no other: its name or address")
    how: dict[str, tuple[str, dict[str, Any]] | None] = {
        "link": None,
        "wire": ("cut", {"cut": on}),
        "dhcp": ("dhcp", {"no_answer": on}),
        "dns": ("dns.silent", {"silent": on}),
        "ntp": ("ntp", {"kind": "silence" if on else "answer"}),
        "router": ("router", {"silent": on}),
        "router_leaves": ("router", {"silent": on, "farewell": on}),
        "gateway": ("outage", {"what": "gateway", "on": on}),
        "internet": ("outage", {"what": "internet", "on": on}),
        "host": ("outage", {"what": "host", "on": on, "host": host}),
    }
    if what not in how:
        raise ValueError(f"there is no outage '{what}'; choose one of: {', '.join(how)}")
    return how[what]
