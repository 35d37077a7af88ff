# SPDX-License-Identifier: Apache-2.0
"""What a capture says: who talked to whom and how much, which servers a device wants, what could be read of it and what could not.

report = hilcop.read_capture("runs/mine/network/board1.pcapng")
for to in report.destinations:
    print(to.name, to.named_by, to.services, to.sent.bytes, to.received.bytes)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from hilcop import _hilcop
from hilcop.observations import Observations

Files = str | PathLike[str] | Sequence[str | PathLike[str]]


@dataclass(frozen=True)
class Traffic:
    packets: int
    bytes: int  # whole frames, as on the wire
    payload_bytes: int  # of UDP, TCP and ICMP


@dataclass(frozen=True)
class Flow:
    """All packets between two endpoints of one protocol. The client is who began, as far as the capture shows."""

    client: str  # "192.0.2.1:49152", "[fe80::1]:49152"
    server: str
    protocol: int  # IANA's number: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6
    first: str  # UTC, "2026-11-29T00:00:00.000000000Z"; texts of times compare as the times do
    last: str
    frames: tuple[tuple[int, int], ...]  # first and last of its frames that follow each other, from 1 as Wireshark counts
    frames_cut: bool  # there are more such runs than are kept
    last_frame: int
    from_client: Traffic
    from_server: Traffic
    name: str  # of the server, as asked for in the DNS before; "": nobody asked
    name_by: str  # "dns", or "mdns": nobody asked, but it was said to all; "": no name
    sni: str
    alpn: str  # what was chosen; where that is encrypted what was offered, joined by commas
    certificate: str  # the server's subject, up to TLS 1.2
    certificate_names: tuple[str, ...]
    application: str  # "http", "tls", "mqtt", "telnet", "dns"...; "": not recognised; "mixed": not the same each time
    by_content: bool  # its bytes say so; else its port does, and they do not speak against it
    opaque_bytes: int  # encrypted
    gap_bytes: int  # that the capture lacks


@dataclass(frozen=True)
class Destination:
    """One server: flows with the same name, by the DNS, else by SNI, else by its certificate, else its address alone. What the DNS gave
    under a name and what was merely called so are two, for SNI is the client's own choice. Where somebody connects to the device, the
    device is one too."""

    name: str
    named_by: str  # "dns", "mdns", "sni", "certificate", the first of them that names it; "": the name is its address
    addresses: tuple[str, ...]
    services: tuple[str, ...]  # "443/tcp", "123/udp", "icmp"
    ports: tuple[int, ...]  # of TCP and UDP
    applications: tuple[str, ...]
    flows: tuple[int, ...]  # indices into the report's flows
    sent: Traffic  # to it
    received: Traffic  # from it
    first: str  # UTC, as a flow's
    last: str


@dataclass(frozen=True)
class Interface:
    name: str
    link_type: int  # 1 Ethernet, 101 bare IP (tcpdump.org/linktypes.html)
    received: int | None  # packets; None: the capture does not say
    dropped: int | None  # packets that it lost; None: nobody knows


@dataclass(frozen=True)
class CaptureFile:
    """One file of a capture. Frames are counted on from file to file: in its own it has the number frame - first_frame + 1, as Wireshark
    counts, and there a place's file_offset is of this file."""

    name: str  # without folders
    first_frame: int  # of all, from 1
    frames: int  # that were read


@dataclass(frozen=True)
class CaptureReport:
    """All that a capture says. What is hostile in it is text at most: printable, and never a password."""

    file: str  # its name without folders; of several the first one's
    files: tuple[CaptureFile, ...]
    frames: int
    bytes: int
    first: str  # UTC, as a flow's
    last: str
    flows: tuple[Flow, ...]
    destinations: tuple[Destination, ...]  # most bytes sent there first
    observations: Observations
    interfaces: tuple[Interface, ...]
    opaque_bytes: int  # encrypted: TLS, DTLS, QUIC, SSH, what HTTP was upgraded to; nobody can say what stands there
    # What was not understood, counted.
    unread: Mapping[str, int]  # frames that were not read to their payload, by reason
    unknown_blocks: int  # of the file
    frames_without_flow: int  # of more flows than are kept (200,000)
    names_not_kept: int  # names of the DNS, of more than are kept: a destination may stand there by its address
    # What is not there.
    damage: tuple[str, ...]  # of the file
    snapped_frames: int  # of which the capture kept a part alone
    tcp: Mapping[str, int]  # connections, segments, bytes, gaps, gap_bytes, conflicts...
    gaps: tuple[Mapping[str, Any], ...]  # of TCP streams: as Seen, and `offset`, `bytes`, `reason`
    conflicts: tuple[Mapping[str, Any], ...]  # segments that said something else for bytes that were there: as Seen, and `offset`
    limits: tuple[str, ...]  # why something that was not found may still have been sent in the plain
    complete: bool  # no limits: what is not in the plain here was not sent in the plain while this was recorded

    @property
    def unrecognised(self) -> tuple[Flow, ...]:
        """Flows with a payload whose protocol nobody knows; what they carry may be packed or encrypted in a way of its own."""
        return tuple(
            flow for flow in self.flows if not flow.application and flow.from_client.payload_bytes + flow.from_server.payload_bytes
        )

    def destination(self, name: str) -> Destination | None:
        """Of that name or address, named by the DNS where there is one; None: nobody went there."""
        there = [one for one in self.destinations if one.name == name or name in one.addresses]
        return next((one for one in there if one.named_by == "dns"), there[0] if there else None)


def read_capture(file: Files, *, so_far: Mapping[str, Any] | None = None, timeout_s: float = 60) -> CaptureReport:
    """Reads a capture file (pcapng or pcap, not compressed) once, from begin to end. Memory is bounded whatever is in it.

    Files of a ring, in the order of time, are read as the one capture that they are. It is not complete where packets stood in older files
    that are gone, in files that are not named, or where the capture goes on in others: `limits` says so, also of one file of a ring.

    so_far: of a capture that is still being written, what `network.sync_capture()` said: that much is read, and its losses count.
    Without it the end of such a file may be torn, and its losses are not known: it is not complete.
    Blocks `timeout_s` seconds at most (more than a day is a day); ends at once on Ctrl-C. Raises NotFoundError, PermissionDeniedError;
    ConfigError: it is no regular file; ProtocolError: it is no capture; TimeoutError; ValueError for a negative time.
    """
    made = _hilcop.analyse_capture(listed(file), written(so_far), timeout_s=timeout_s)
    kept = {key: made[key] for key in ("file", "frames", "bytes", "first", "last", "opaque_bytes", "observations", "unread", "tcp")}
    kept |= {key: made[key] for key in ("unknown_blocks", "frames_without_flow", "names_not_kept", "snapped_frames")}
    return CaptureReport(
        **kept,
        files=files_of(made),
        flows=tuple(_flow(row) for row in made["flows"]),
        destinations=tuple(_destination(row) for row in made["destinations"]),
        interfaces=tuple(Interface(row["name"], row["link_type"], row.get("received"), row.get("dropped")) for row in made["interfaces"]),
        damage=tuple(made["damage"]),
        gaps=tuple(made["gaps"]),
        conflicts=tuple(made["conflicts"]),
        limits=tuple(made["limits"]),
        complete=made["absence_provable"],
    )


def written(so_far: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """Frames in the file and frames lost, of what `sync_capture()` said."""
    return None if so_far is None else (so_far["packets"] - so_far.get("packets_removed", 0), so_far["dropped"])


def listed(file: Files) -> list[str | PathLike[str]]:
    return [file] if isinstance(file, str | PathLike) else list(file)


def files_of(made: Mapping[str, Any]) -> tuple[CaptureFile, ...]:
    return tuple(CaptureFile(**row) for row in made["files"])


def _flow(row: dict[str, Any]) -> Flow:
    made: dict[str, Any] = {key: Traffic(**row[key]) for key in ("from_client", "from_server")}
    made["frames"] = tuple((first, last) for first, last in row["frames"])
    made["certificate_names"] = tuple(row["certificate_names"])
    return Flow(**{**row, **made})


def _destination(row: dict[str, Any]) -> Destination:
    sent, received = Traffic(**row.pop("to")), Traffic(**row.pop("from"))
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return Destination(**{**row, **lists}, sent=sent, received=received)
