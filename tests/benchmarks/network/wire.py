# SPDX-License-Identifier: Apache-2.0
"""The wire between a device's port and the bench's gateway, without impairments: what it carries, and what it loses."""

from __future__ import annotations

from table import Row
from traffic import traffic


def wire(quick: bool) -> list[Row]:
    seconds, rows = (2 if quick else 10), []
    with traffic() as flooded:
        for name, size, rate in [
            ("100,000 frames of 64 bytes a second", 64, 100_000),
            ("900 Mbit/s in frames of 1514 bytes", 1514, 74_500),
        ]:
            flooded.ask("wire")
            sent = flooded.flood(seconds, size, rate)
            came = flooded.ask("stop")
            rate_mbit = sent["sent"] / sent["seconds"] * size * 8 / 1e6
            detail = f"{rate_mbit:.0f} Mbit/s, {came['processor_s'] / sent['seconds']:.0%} of a processor"
            rows.append(Row(f"lost of {name}", sent["sent"] - came["came"], "frames", "<= 0", detail))
        flooded.ask("wire")
        sent = flooded.flood(seconds, 1514, 10_000_000)
        came = flooded.ask("stop")
    carried = came["came"] / sent["seconds"]
    detail = f"{carried / 1000:.0f} thousand frames a second; lost {1 - came['came'] / sent['sent']:.1%}, as fast as they can be sent"
    rows.append(Row("carried at most, frames of 1514 bytes", carried * 1514 * 8 / 1e6, "Mbit/s", ">= 900", detail))
    return rows
