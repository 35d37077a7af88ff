# SPDX-License-Identifier: Apache-2.0
"""What each driver adds to a switching and its read-back, against the protocol's own time on the wire (switches.cc)."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from table import Row

PROGRAM = Path(__file__).resolve().parents[3] / "build" / "release" / "tests" / "benchmarks" / "bench_switches"


def switches(quick: bool) -> list[Row]:
    rounds, each = (3, 60) if quick else (9, 200)
    done = subprocess.run([str(PROGRAM), str(rounds), str(each)], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    rows = []
    for found in map(json.loads, done.stdout.splitlines()):
        own, wire = (statistics.median(found[name]) * 1e6 for name in ("switch_s", "wire_s"))
        serial = "line" in found
        where = f"at {found['line']} baud, not taken by this line without a wire" if serial else "for a client that only sends and waits"
        rows.append(
            Row(
                f"{found['driver']}: a switch and its read-back",
                statistics.median(a / b for a, b in zip(found["switch_s"], found["wire_s"], strict=True)),
                "of its wire's time, besides it" if serial else "times its wire",
                detail=f"{own:.0f} us; its {found['bytes']} bytes take {wire:.0f} us {where}",
            )
        )
    return rows
