# SPDX-License-Identifier: Apache-2.0
"""How a DUT's network errs when it is asked to."""

from __future__ import annotations

from typing import Literal

Direction = Literal["both", "from_device", "to_device"]
DnsKind = Literal[
    "answer",
    "address",
    "spoof",
    "rebind",
    "nxdomain",
    "servfail",
    "refused",
    "silence",
    "wrong_id",
    "compression_loop",
    "truncated",
]
NtpKind = Literal["answer", "kiss_of_death", "stratum16", "silence"]
