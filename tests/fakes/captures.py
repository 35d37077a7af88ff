# SPDX-License-Identifier: Apache-2.0
"""Captures of a test's own: pcapng blocks and packets by their standards, and not by what reads them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hilcop.network import Network

End = tuple[str, int]
FIN, SYN, ACK = 1, 2, 16
BEGIN_NS = 1_732_000_000_000_000_000  # 2024-11-19T07:06:40Z


def ip(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, socket.inet_aton(source), socket.inet_aton(target)
    )
    return bytes.fromhex("020000000001 020000000002 0800") + head + payload


def udp(source: End, target: End, payload: bytes) -> bytes:
    return ip(source[0], target[0], 17, struct.pack("!HHHH", source[1], target[1], 8 + len(payload), 0) + payload)


def tcp(source: End, target: End, sequence: int, acknowledged: int, flags: int, payload: bytes = b"") -> bytes:
    head = struct.pack("!HHIIBBHHH", source[1], target[1], sequence, acknowledged, 0x50, flags, 8192, 0, 0)
    return ip(source[0], target[0], 6, head + payload)


def talk(client: End, server: End, said: bytes, *, answer: bytes = b"", size: int = 1400, sequence: int = 1000) -> list[bytes]:
    """One TCP connection from its begin to its end, in segments of `size` bytes at most. Another one between the same ends has another
    sequence number at first: else it is the same once more."""
    ends, following, frames = (client, server), [sequence, sequence + 4000], []

    def send(side: int, flags: int, payload: bytes = b"") -> None:
        acknowledged = 0 if flags == SYN else following[1 - side]
        frames.append(tcp(ends[side], ends[1 - side], following[side], acknowledged, flags, payload))
        following[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)

    send(0, SYN)
    send(1, SYN | ACK)
    send(0, ACK)
    for side, text in ((0, said), (1, answer)):
        for at in range(0, len(text), size):
            send(side, ACK, text[at : at + size])
    for side in (0, 1):
        send(side, FIN | ACK)
    send(0, ACK)
    return frames


def dns(name: str, address: str = "") -> bytes:
    """A question, or with an address its answer."""
    asked = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack("!HH", 1, 1)
    if not address:
        return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + asked
    answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
    return struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0) + asked + answer


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _comment(text: str) -> bytes:
    return _option(1, text.encode())


def write_pcapng(file: Path, frames: Sequence[bytes], *, dropped: int | None = 0, head: str = "", end: str = "") -> Path:
    """One millisecond apart, of one Ethernet interface, `wire`, that lost so many; None: nobody has counted that. Comments of its head and,
    beside the counts, its end."""
    out = bytearray(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + (_comment(head) + _option(0, b"") if head else b"")))
    out += _block(1, struct.pack("<HHI", 1, 0, 0) + _option(2, b"wire") + _option(9, b"\x09") + _option(0, b""))
    for number, frame in enumerate(frames, 1):
        at = BEGIN_NS + number * 1_000_000
        head = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(frame), len(frame))
        out += _block(6, head + frame + bytes(-len(frame) % 4))
    if dropped is not None:
        counts = (
            (_comment(end) if end else b"")
            + _option(4, struct.pack("<Q", len(frames) + dropped))
            + _option(5, struct.pack("<Q", dropped))
            + _option(0, b"")
        )
        out += _block(5, struct.pack("<III", 0, 0, 0) + counts)
    file.write_bytes(out)
    return file


class CapturingPort:
    """The network process as far as a capture of its own is concerned: what it says of it, and what it was asked."""

    def __init__(self, file: Path | str | None, **figures: Any) -> None:
        self.capture_file = str(file or "")
        self.figures: dict[str, Any] = {"packets": 0, "bytes": 0, "dropped": 0, "failure": None, **figures}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def ask(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        assert timeout_s > 0
        self.asked.append((what, how))
        return self.figures

    def network(self) -> Network:
        return Network(cast(Any, self))
