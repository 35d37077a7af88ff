# SPDX-License-Identifier: Apache-2.0
"""What HT1-NETWORK judges by the wire: where the device went, how it spoke there, and which of its ports said that it is open."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from _network_tour import API, BROKER, CLOUD, Tour
from hilcop import CaptureReport, Check
from hilcop.scanning import PortWatch, WatchedPort

NAMES = ".ht1.example"
BENCH = ("10.77.0.1", "fd77::1", "fe80::77:ff:fe00:1")

WATCHED = (21, 22, 23, 53, 80, 443, 1883, 2323, 5555, 8080, 8443, 8883)  # every 0.2 s
PAUSE_S = 2.0  # an answer takes a second at most: then it is asked again
ROUNDS_OPEN = 10  # at most, whose answers nobody waited for when the watch ended


def beyond(address: str) -> bool:
    """Whether it is none of the LAN's, nor one that is for all."""
    at = ipaddress.ip_address(address.split("%")[0])
    home = [ipaddress.ip_network(net) for net in ("10.77.0.0/24", "fd77::/64", "255.255.255.255/32")]
    return not (at.is_multicast or at.is_link_local or at.is_unspecified or any(at in net for net in home if net.version == at.version))


def goes_to_its_maker_alone(tour: Tour, report: CaptureReport, check: Check) -> None:
    named = sorted({one.name for one in report.destinations if one.named_by == "dns"})
    check.control("its cloud and its broker are among them", ok={CLOUD, BROKER} <= set(named))
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
    """By the wire: whatever it said to whoever, over TCP and UDP, but for asking for an address and for names. A flow whose ports served
    for two things is neither ("mixed")."""
    flows = [flow for flow in report.flows if flow.protocol in (6, 17) and flow.from_client.payload_bytes]
    own = [flow for flow in flows if flow.client.rpartition(":")[0].strip("[]") not in BENCH]
    check.control("its TLS is among it", ok=any(flow.application == "tls" for flow in own))
    check.control("what it said to its broker is", ok=any(flow.name == BROKER for flow in own))
    plain = [flow for flow in own if flow.application not in ("tls", "dns", "dhcp") or not flow.by_content]  # not by its port alone
    listed = "\n".join(f"{flow.client} {flow.server} {flow.application or '?'} {flow.from_client.payload_bytes}" for flow in own)
    evidence = [tour.run.attach("flows.txt", listed + "\n"), *tour.kept_plain()]
    said = ", ".join(f"{flow.application or '?'} to {flow.name or flow.server}" for flow in plain)
    check.judge(not plain, observed=said or f"{len(own)} flows, each TLS, DNS or DHCP", evidence=evidence)


def opens_nothing_else(tour: Tour, watch: PortWatch, starts: int, check: Check) -> None:
    """Of the ports that were asked for, at every address that it has or speaks as, from when it had no power until it had started twice.
    Who refuses is there: so each port has to have answered at its IPv4 address, from before its API was open until the last, and each at an
    address of IPv6.

    What the figures cannot show: a port that is open for less than a round; more than the first start's begin and the last one's end, but
    for rounds that had no pause; and whether IPv6 was there before the API. An address is first looked for elsewhere (RFC 4862 5.4), and
    until that is over nobody is reached at it, either.
    """
    at, lease = watch.by_address, tour.lease()
    own = at.get(lease, ())
    detail = f"{lease or 'it has none'} {silent(own)}"
    check.control("its IPv4 address answered at each port", ok=is_whole(own, watch), detail=detail)
    six = [address for address in at if ":" in address]
    whole = [address for address in six if is_whole(at[address], watch)]
    mute = [address for address in at if not any(port.answered for port in at[address])]
    detail = ", ".join(f"{address} {silent(at[address])}" for address in six) or "none was asked"
    check.control("so did one of IPv6", ok=bool(whole), detail=detail)
    unasked = spoken(tour) - {ipaddress.ip_address(address) for address in at}
    detail = "; ".join([f"was not: {address}" for address in unasked] + [f"never answered: {address}" for address in mute])
    left_out = tour.network.status()["hosts_left_out"]
    detail += f"; {left_out} frames of more addresses than are kept" if left_out else ""
    check.control("each address that it spoke as was asked", ok=not unasked and not left_out, detail=detail)
    check.control("it started twice", ok=starts >= 2, detail=str(starts))
    paused = watch.failure or (f"{watch.longest_gap_s:.2f} s" if watch.longest_gap_s >= PAUSE_S else "")
    check.control("it was asked without a pause", ok=not paused, detail=paused)
    check.control(f"they said no from before {API} was open until the last", ok=is_framed(own))
    ports = [f"{port.address} {port.port}: {port.open} of {port.answered} of {port.asked} open" for port in watch.ports]
    evidence = [tour.run.attach("ports.txt", "\n".join(ports) + "\n")]
    if watch.seen_open <= {API}:
        if tour.excused(check, evidence):
            return
        if watch.longest_gap_s >= PAUSE_S:  # it is the bench that asks
            check.inconclusive(f"the host was busy: for {watch.longest_gap_s:.1f} s nothing was asked", evidence=evidence)
            return
    found = sorted({f"{port.port} at {port.address}" for port in watch.ports if port.open})
    check.judge(watch.seen_open <= {API}, observed=f"open: {', '.join(found) or 'none'}", evidence=evidence)


def is_whole(ports: Iterable[WatchedPort], watch: PortWatch) -> bool:
    """Of one address: each port was asked in every round, and has answered."""
    answered = {port.port for port in ports if port.answered and port.asked >= watch.rounds - ROUNDS_OPEN}
    return answered >= set(WATCHED)


def silent(ports: Iterable[WatchedPort]) -> str:
    missing = sorted(set(WATCHED) - {port.port for port in ports if port.answered})
    return f"silent at {', '.join(map(str, missing))}" if missing else "answered at each"


def is_framed(ports: Iterable[WatchedPort]) -> bool:
    """Whether the API was open, and the others answered no later at first, nor earlier at last; a round of a busy device may be lost."""
    by_port = {port.port: port for port in ports}
    api = by_port.pop(API, None)
    if api is None or api.first_open_ns is None or api.last_open_ns is None or not by_port:
        return False
    first, last = api.first_open_ns + int(PAUSE_S * 1e9), api.last_open_ns - int(PAUSE_S * 1e9)
    times = [(port.first_answered_ns, port.last_answered_ns) for port in by_port.values()]
    return all(begin is not None and end is not None and begin <= first and end >= last for begin, end in times)


def spoken(tour: Tour) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """As what it has spoken on the LAN, however it came to these addresses."""
    return {ipaddress.ip_address(address) for addresses in tour.network.status()["hosts"].values() for address in addresses}
