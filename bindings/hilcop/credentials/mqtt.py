# SPDX-License-Identifier: Apache-2.0
"""MQTT's log-in: CONNECT and CONNACK (MQTT 3.1.1 clauses 3.1 and 3.2; MQTT 5.0 clauses 3.1, 3.2)."""

from __future__ import annotations

import contextlib
import secrets
import struct
from dataclasses import dataclass
from typing import Literal

from hilcop.credentials.answers import Answer, Dial, Outcome, Unintelligible
from hilcop.credentials.pairs import Pair
from hilcop.credentials.wire import Wire, opened, soon

MOST_CONNACK = 64 << 10  # an answer of more bytes is none
_LEVEL = {"3.1.1": 4, "5": 5}

# 3.1.1 table 3.1: 4 bad user name or password, 5 not authorized.
_CODES: dict[str, dict[int, tuple[Outcome, str]]] = {
    "3.1.1": {0: ("accepted", "accepted"), 4: ("refused", "bad user name or password"), 5: ("refused", "not authorized")},
    # 5.0 clause 3.2.2.2
    "5": {
        0x00: ("accepted", "success"),
        0x86: ("refused", "bad user name or password"),
        0x87: ("refused", "not authorized"),
        0x8A: ("locked_out", "banned"),
        0x97: ("locked_out", "quota exceeded"),
        0x9F: ("locked_out", "connection rate exceeded"),
    },
}


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("!H", len(data)) + data


def connect_packet(pair: Pair | None, version: str, client: str) -> bytes:
    """CONNECT with a clean session. A password needs a user name, which may be empty (3.1.1 clause 3.1.2.8)."""
    flags = 0x02 | (0xC0 if pair is not None else 0)
    properties = b"\0" if version == "5" else b""
    body = _text("MQTT") + bytes([_LEVEL[version], flags]) + struct.pack("!H", 60) + properties + _text(client)
    if pair is not None:
        body += _text(pair.user) + _text(pair.password)
    return b"\x10" + _length(len(body)) + body


def _length(value: int) -> bytes:
    """3.1.1 clause 2.2.3."""
    digits = bytearray()
    while True:
        value, digit = divmod(value, 128)
        digits.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(digits)


def _read(wire: Wire, count: int) -> bytes:
    data = b""
    while len(data) < count:
        if not (piece := wire.receive(count - len(data))):
            raise EOFError
        data += piece
    return data


def _connack(wire: Wire, version: str) -> int:
    """Its code."""
    kind = _read(wire, 1)[0]
    if kind != 0x20:
        raise Unintelligible(f"no MQTT: its answer begins with {kind:#04x}")
    length, shift = 0, 0
    while True:
        digit = _read(wire, 1)[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            break
        if shift >= 28:
            raise Unintelligible("no MQTT: a length of more than four bytes")
    if length > MOST_CONNACK or length < 2 or (version == "3.1.1" and length != 2):
        raise Unintelligible(f"no MQTT: a CONNACK of {length} bytes")
    return _read(wire, length)[1]


@dataclass(frozen=True)
class MqttLogin:
    """Without credentials it is an anonymous client. A broker that closes instead of answering (as it may, 3.1.1 clause 3.1.4) has not
    answered."""

    port: int = 1883
    tls: bool = False
    version: Literal["3.1.1", "5"] = "3.1.1"
    protocol: str = "mqtt"
    tries_without: bool = True
    needs_user: bool = True

    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        with opened(dial, end, tls=self.tls) as wire:
            # Letters and digits, 23 at most: what every broker takes (3.1.1 clause 3.1.3.1).
            wire.send(connect_packet(pair, self.version, f"hilcop{secrets.token_hex(6)}"))
            code = _connack(wire, self.version)
            if (known := _CODES[self.version].get(code)) is None:
                return Answer("not_understood", f"CONNACK {code:#04x}")
            if known[0] == "accepted":
                with contextlib.suppress(OSError, Unintelligible):  # it has let us in, whatever it does then
                    wire.end = soon(end, 1)
                    wire.send(b"\xe0\0")  # DISCONNECT: it is no failure of the client's
            return Answer(known[0], f"CONNACK {code:#04x}, {known[1]}")
