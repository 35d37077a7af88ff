# SPDX-License-Identifier: Apache-2.0
"""WWW-Authenticate: which schemes a device takes (RFC 9110 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PART = re.compile(rf'[ \t,]*({_TOKEN})(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN})))?', re.DOTALL)
MOST_CHALLENGES = 32


@dataclass(frozen=True)
class Challenge:
    scheme: str  # in lower case
    parameters: dict[str, str]  # names in lower case, values without quotes


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Of all header lines, in their order; what follows something that is none is not read."""
    found: list[Challenge] = []
    for header in headers:
        at, current = 0, None
        while (part := _PART.match(header, at)) and len(found) < MOST_CHALLENGES:
            at = part.end()
            name, quoted, plain = part.groups()
            if quoted is None and plain is None:
                current = Challenge(name.lower(), {})
                found.append(current)
            elif current is None:
                break  # a parameter of nothing
            else:
                value = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else plain
                current.parameters.setdefault(name.lower(), value)
    return found
