# SPDX-License-Identifier: Apache-2.0
"""What HT1-NETWORK judges by the wire: where the device went, and how it spoke there."""

from __future__ import annotations

import ipaddress

from _network_tour import CLOUD, Tour
from hilcop import CaptureReport, Check

NAMES = ".ht1.example"
BENCH = ("10.77.0.1", "fd77::1", "fe80::77:ff:fe00:1")


def beyond(address: str) -> bool:
    """Whether it is none of the LAN's, nor one that is for all."""
    at = ipaddress.ip_address(address.split("%")[0])
    home = [ipaddress.ip_network(net) for net in ("10.77.0.0/24", "fd77::/64", "255.255.255.255/32")]
    return not (at.is_multicast or at.is_link_local or at.is_unspecified or any(at in net for net in home if net.version == at.version))


def goes_to_its_maker_alone(tour: Tour, report: CaptureReport, check: Check) -> None:
    check.control("its cloud is among them", ok=CLOUD in {one.name for one in report.destinations if one.named_by == "dns"})
    named = sorted({one.name for one in report.destinations if one.named_by == "dns"})
    # What it merely calls by a name (SNI) is an address that nobody gave it.
    nameless = sorted({at for one in report.destinations if one.named_by != "dns" for at in one.addresses if beyond(at)})
    strange = [name for name in named if not name.endswith(NAMES)] + nameless
    check.judge(not strange, observed=", ".join(named + nameless), evidence=[tour.packets("destinations")])


def asks_no_time(tour: Tour, report: CaptureReport, check: Check) -> None:
    failures = tour.network.status()["services"]["failures"]
    check.control("the time server that it was given served all the while", ok=failures == [], detail=str(failures))
    check.control("what it asks over UDP is read: names", ok=bool(report.observations["dns"]))
    asked = len(report.observations["ntp"]) + int(tour.network.status()["services"]["ntp"]["requests"])
    observed = f"{asked} questions of the time; all cases above were judged while it was 20 years wrong"
    check.judge(not asked, observed=observed, evidence=[tour.packets("NTP")])


def speaks_tls_alone(tour: Tour, report: CaptureReport, check: Check) -> None:
    """By the wire: whatever it said to whoever, over TCP and UDP, but for asking for an address and for names."""
    flows = [flow for flow in report.flows if flow.protocol in (6, 17) and flow.from_client.payload_bytes]
    own = [flow for flow in flows if flow.client.rpartition(":")[0].strip("[]") not in BENCH]
    check.control("its TLS is among it", ok=any(flow.application == "tls" for flow in own))
    plain = [flow for flow in own if flow.application not in ("tls", "dns", "dhcp") or not flow.by_content]  # not by its port alone
    listed = "\n".join(f"{flow.client} {flow.server} {flow.application or '?'} {flow.from_client.payload_bytes}" for flow in own)
    evidence = [
        tour.run.attach("flows.txt", listed + "\n"),
        tour.kept("plain", [one for one in tour.tls.ended() if one.outcome == "not_tls"]),
    ]
    said = ", ".join(f"{flow.application or '?'} to {flow.name or flow.server}" for flow in plain)
    check.judge(not plain, observed=said or f"{len(own)} flows, each TLS, DNS or DHCP", evidence=evidence)
