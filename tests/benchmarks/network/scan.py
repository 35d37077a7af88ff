# SPDX-License-Identifier: Apache-2.0
"""Scanning the reference device: all TCP ports at the gentle rate that is the default. Needs its images (boards/reference/build.sh)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from table import Row, spread

SOURCE = Path(os.environ.get("HILCOP_SOURCE_DIR", Path(__file__).parents[3]))
BUILD = Path(os.environ.get("HILCOP_BUILD_DIR", "build/release"))
OPEN = (443,)  # as boards/reference/declaration says


def scan(quick: bool) -> list[Row]:
    sys.path[:0] = [str(BUILD / "python"), str(SOURCE / "tests/reference/board")]
    os.environ.setdefault("HILCOP_SOURCE_DIR", str(SOURCE))
    os.environ.setdefault("HILCOP_BUILD_DIR", str(BUILD.resolve()))
    os.environ.setdefault("HILCOP_PROGRAM", str(BUILD.resolve() / "bin/hilcop"))
    import hilcop
    from bench_file import write_bench
    from machine import IMAGE, make_unit

    if not (IMAGE / "layout").exists():
        subprocess.run([SOURCE / "boards/reference/build.sh", IMAGE], check=True, stdout=subprocess.DEVNULL)
    rounds, took, right, asked_s, complete = (2 if quick else 20), [], 0, [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_unit(folder / "device")
        places = {f"HILCOP_{what}_DIR": str(folder / what.lower()) for what in ("RUNTIME", "STATE")}
        bench = write_bench(folder, folder / "device")
        with patch.dict(os.environ, places), hilcop.open_bench(bench, boards_dir=SOURCE / "boards", record_dir=folder / "run") as opened:
            dut = opened.dut("unit")
            dut.power.on()
            dut.boot_to()
            for _ in range(rounds):
                found = dut.network.scan_tcp()
                took.append(found.took_s)
                right += found.open == OPEN
                complete += found.complete
                asked_s.append(found.heartbeat.worst_s)
            dut.power.off()
    detail = f"{spread(took)} s; the slowest answer to a heartbeat {max(asked_s) * 1000:.0f} ms; {complete} of {rounds} complete"
    return [
        Row("full TCP scan of the reference device", sorted(took)[len(took) // 2], "s", "<= 80", detail),
        Row("the slowest of them", max(took), "s", "<= 80", f"{rounds} scans"),
        Row("scans that found every open port and no other", right / rounds, "of 1", ">= 1", f"{right} of {rounds}"),
    ]
