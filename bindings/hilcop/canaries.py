# SPDX-License-Identifier: Apache-2.0
"""Canaries: secrets that a bench has planted, searched for in what was sent.

search = hilcop.find_canaries("runs/mine/network/board1.pcapng", {"wifi key": "c4n4ry5521x"})
assert search.complete and not search.findings
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hilcop import _hilcop
from hilcop.capture_report import CaptureFile, Files, files_of, listed, written
from hilcop.errors import Error, make
from hilcop.observations import Place

Form = Literal["raw", "reversed", "base64", "hex", "hex with colons", "url", "utf-16le", "utf-16be"]


@dataclass(frozen=True)
class Finding:
    """One place where a canary was sent in the plain."""

    canary: str  # its name
    form: Form
    within: tuple[str, ...]  # outermost first: "frame", "datagram" or "stream"; then "body", "gzip", "zlib", "deflate"
    at: str  # UTC, "2026-11-29T00:00:00.000000000Z", of the frame that completed it
    sender: str  # "192.0.2.1:80", "[fe80::1]:80"; without a port where there is none
    receiver: str
    flow: int | None  # index into the flows of read_capture() of the same file
    places: tuple[Place, ...]  # its bytes; of what was packed those of the packed bytes up to where it came out

    @property
    def frames(self) -> tuple[int, ...]:
        """Numbers from 1, as Wireshark counts, in the order of its bytes."""
        return tuple(dict.fromkeys(place["frame"] for place in self.places))


@dataclass(frozen=True)
class CanarySearch:
    """What was searched, and what was found. A finding proves that a secret was sent in the plain. Nothing found proves that it was not
    only where `complete` is True; where it is not, a check is Inconclusive for `limits`, never a Pass."""

    canaries: tuple[str, ...]  # names of those that were searched for
    files: tuple[CaptureFile, ...]  # where they were
    findings: tuple[Finding, ...]
    not_kept: int  # findings beyond 1000 of one canary in one form
    frames: int  # that were searched: all that are in the file, or as many as were asked for
    bytes: int  # of them
    opaque_bytes: int  # encrypted: no search sees what stands there
    limits: tuple[str, ...]  # what was lost, damaged, cut or not searched, a sentence each
    complete: bool  # there are no limits

    def of(self, canary: str) -> tuple[Finding, ...]:
        """Findings of one canary. ValueError: it was not searched for, so that nothing can be said of it."""
        if canary not in self.canaries:
            raise ValueError(f"canary '{canary}' was not searched for; these were: {', '.join(self.canaries)}")
        return tuple(finding for finding in self.findings if finding.canary == canary)


def find_canaries(
    file: Files,
    canaries: Mapping[str, str | bytes],
    *,
    so_far: Mapping[str, Any] | None = None,
    timeout_s: float = 60,
) -> CanarySearch:
    """Searches a capture, one file or those of a ring in their order, for secrets by their bytes (of a `str` those of UTF-8): as they
    are, reversed, in base64, hex, percent-encoding and UTF-16; across the borders of segments, fragments, chunks and files, and in what is
    packed by gzip, zlib or deflate.

    The result is `complete` only where the capture lost nothing and is whole, and all that is in the plain in it was searched. Then nothing
    found means that it was not sent in the plain in one of these forms. Else it means nothing: such a check is Inconclusive, never a Pass.
    What is encrypted stays unknown either way (`opaque_bytes`).

    A canary has 8 to 1024 bytes, so that none is found by chance; of letters and digits alone it looks the same in JSON, HTML and a shell,
    whose escapes are not looked for. Names are printable ASCII, 64 characters at most. so_far: as in read_capture().
    Blocks `timeout_s` seconds at most (more than a day is a day); ends at once on Ctrl-C. Raises ConfigError: there is no canary, one
    cannot be searched for, or two are the same; TypeError: one is neither str nor bytes; and what read_capture() raises.
    """
    given = {_sound_name(name): _bytes_of(name, value) for name, value in canaries.items()}
    if not given:
        raise _error("canaries", "there is none to search for, and nothing found would prove nothing", "name those that were planted")
    made = _hilcop.find_canaries(listed(file), given, written(so_far), timeout_s=timeout_s)
    return CanarySearch(
        canaries=tuple(given),
        files=files_of(made),
        findings=tuple(_finding(row) for row in made["canaries"]),
        not_kept=made["canaries_not_kept"],
        frames=made["frames"],
        bytes=made["bytes"],
        opaque_bytes=made["opaque_bytes"],
        limits=tuple(made["limits"]),
        complete=made["absence_provable"],
    )


def _finding(row: dict[str, Any]) -> Finding:
    kept = {key: row[key] for key in ("canary", "form", "at", "flow")}
    return Finding(**kept, within=tuple(row["within"]), sender=row["from"], receiver=row["to"], places=tuple(row["places"]))


def _sound_name(name: str) -> str:
    # Findings are told by it, in JSON and reports where other bytes would not stay what they are.
    if not 0 < len(name) <= 64 or not (name.isascii() and name.isprintable()):
        raise _error(f"canary {name!r}", "has a name that is not 1 to 64 characters of printable ASCII", "give it another name")
    return name


def _bytes_of(name: str, value: str | bytes) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError(f"canary '{name}' is of type {type(value).__name__}: give it as str or bytes")


def _error(object: str, cause: str, remedy: str) -> Error:
    return make("Config", object, cause, remedy, f"{object}: {cause}; {remedy}")
