# SPDX-License-Identifier: Apache-2.0
"""What a connection can be answered with; what each shows: harness/network/intercept/docs/interception.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hilcop.errors import make

InterceptCase = Literal[
    "sound",
    "self_signed",
    "unknown_ca",
    "wrong_name",
    "expired",
    "not_yet_valid",
    "leaf_as_ca",
    "wrong_usage",
    "revoked",
    "weak_key",
    "weak_signature",
    "old_version_1_0",
    "old_version_1_1",
    "weak_cipher",
    "null_cipher",
    "strip",
]


def caught_ports(ports: Sequence[int] | Literal["all"]) -> list[int] | Literal["all"]:
    """As the network is told them. ConfigError: one is none."""
    if isinstance(ports, str):
        return ports
    for port in ports:
        if not 1 <= port <= 65535:
            cause, remedy = f"{port} is no port", 'give 1 to 65535, or "all"'
            raise make("Config", "TLS interception", cause, remedy, f"TLS interception: {cause}; {remedy}")
    return list(ports)
