# SPDX-License-Identifier: Apache-2.0
"""What a capture shows of the protocols that hilcop reads: rows as the JSON report has them, each kind in the order found.

Every text is what the other side said, made printable ASCII (other bytes as \\xNN). Numbers are those of the standards' registries.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Place(TypedDict):
    """Bytes that stand together in one frame."""

    frame: int  # from 1, as Wireshark counts
    offset: int  # of the first byte in the frame
    bytes: int  # how many
    file_offset: int  # of the first byte in the capture file


# Functional, for the sake of a key that is a word of Python's.
Seen = TypedDict(
    "Seen",
    {
        "at": str,  # UTC, "2026-11-29T00:00:00.000000000Z", of the frame that completed it
        "flow": int | None,  # index into the report's flows
        "from": str,  # "192.0.2.1:80", "[fe80::1]:80"
        "to": str,
        "places": list[Place],
    },
)


class DhcpMessage(Seen):
    type: int  # 1 discover, 2 offer, 3 request, 4 decline, 5 ack, 6 nak, 7 release, 8 inform; 0: BOOTP
    transaction: int
    client_mac: str
    host_name: str
    vendor_class: str
    domain: str
    offered: str  # addresses; "": none
    requested: str
    server: str
    lease_s: int
    parameter_list: list[int]  # option 55, in the order asked: a fingerprint
    options: list[int]  # codes in the order sent


class DnsQuestion(TypedDict):
    name: str  # lower case, without the last dot
    type: int  # 1 A, 28 AAAA, 12 PTR...


class DnsRecord(TypedDict):
    name: str
    type: int
    ttl_s: int
    address: NotRequired[str]  # of A and AAAA
    text: NotRequired[str]  # of CNAME, PTR, NS, SRV, TXT


class DnsMessage(Seen):
    """DNS over UDP and TCP, on whatever port; with `multicast` mDNS or LLMNR."""

    multicast: bool
    response: bool
    truncated: bool
    id: int
    code: int  # 0 no error, 2 SERVFAIL, 3 NXDOMAIN...
    questions: list[DnsQuestion]
    answers: list[DnsRecord]  # authority and additional records too


class SsdpMessage(Seen):
    start: str  # its first line
    target: str
    unique_name: str
    location: str
    server: str
    kind: str


class NtpMessage(Seen):
    version: int
    mode: int  # 3 client, 4 server
    stratum: int
    leap: int
    reference: str  # of stratum 0 a kiss-o'-death code, of 1 a kind of clock
    authenticated: bool  # a MAC or extension fields (NTS) follow
    transmitted: int  # 32.32 fixed point, seconds since 1900


CoapMessage = TypedDict(
    "CoapMessage",
    {
        "at": str,
        "flow": int | None,
        "from": str,
        "to": str,
        "places": list[Place],
        "type": int,
        "class": int,  # 0.01 GET, 0.02 POST, 0.03 PUT, 0.04 DELETE; 2.05 content...
        "detail": int,
        "id": int,
        "host": str,
        "path": str,
        "query": str,
        "payload_bytes": int,
    },
)


class HttpMessage(Seen):
    """HTTP/1 in the plain: a request or a response."""

    request: bool
    method: NotRequired[str]  # these four of a request
    target: NotRequired[str]
    host: NotRequired[str]
    user_agent: NotRequired[str]
    status: NotRequired[int]  # these two of a response
    server: NotRequired[str]
    content_type: str
    content_encoding: str
    chunked: bool
    complete: bool  # its body is there as far as it says where that ends
    body_bytes: int  # without chunks, as packed as it came


class MqttMessage(Seen):
    kind: int  # 1 CONNECT, 2 CONNACK, 3 PUBLISH, 8 SUBSCRIBE
    topics: list[str]
    payload_bytes: int
    level: NotRequired[int]  # these five of CONNECT; level 4 is MQTT 3.1.1, 5 is 5.0
    client_id: NotRequired[str]
    user: NotRequired[str]
    has_password: NotRequired[bool]
    will_topic: NotRequired[str]
    code: NotRequired[int]  # of CONNACK


class TlsClientHello(Seen):
    version: int  # the legacy field
    versions: list[int]  # 0x0304 is TLS 1.3; []: it offers no list
    ciphers: list[int]
    sni: str
    alpn: list[str]


class TlsServerHello(Seen):
    version: int  # that was chosen
    cipher: int
    alpn: str


class Certificate(TypedDict):
    """What a certificate says of itself; nothing is verified."""

    subject: str
    issuer: str
    names: list[str]
    not_before: str
    not_after: str
    sha256: str


class TlsCertificates(Seen):
    """As sent up to TLS 1.2; those of TLS 1.3 are encrypted."""

    chain: list[Certificate]  # the first is the server's, or the client's, own


class TlsAlert(Seen):
    level: int
    description: int


class Tls(TypedDict):
    client_hellos: list[TlsClientHello]
    server_hellos: list[TlsServerHello]
    certificates: list[TlsCertificates]
    alerts: list[TlsAlert]


class Password(TypedDict):
    """Never the password itself."""

    bytes: int
    sha256: str


class Credential(Seen):
    """A user and a password in the plain."""

    protocol: str  # "http-basic", "mqtt", "telnet", "ftp"
    user: str
    password: Password


class Observations(TypedDict):
    """At most 20,000 of a kind are kept; `not_kept` counts the rest."""

    dhcp: list[DhcpMessage]
    dns: list[DnsMessage]
    ssdp: list[SsdpMessage]
    ntp: list[NtpMessage]
    coap: list[CoapMessage]
    http: list[HttpMessage]
    mqtt: list[MqttMessage]
    tls: Tls
    credentials: list[Credential]
    malformed: dict[str, int]  # messages that are not as their standard says, by protocol
    not_kept: dict[str, int]  # by kind
