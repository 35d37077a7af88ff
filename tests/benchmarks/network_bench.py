# SPDX-License-Identifier: Apache-2.0
"""./dev bench network [--quick] [--json FILE] [PART...]: hilcop's reading of captures beside tshark's.

Parts: canaries, reading (default: all). Ratios are medians of the ratios of rounds that ran one after the other.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "network"))
sys.path.insert(0, str(Path(__file__).parent / "console"))  # its table

import analysis
from table import Row, print_table

PARTS: dict[str, Callable[[bool], list[Row]]] = {"canaries": analysis.canaries, "reading": analysis.reading}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench network")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and a smaller capture")
    parser.add_argument("--json", help="file to write")
    arguments = parser.parse_args()
    if wrong := [part for part in arguments.parts if part not in PARTS]:
        parser.error(f"no part {wrong[0]!r}: choose from {', '.join(PARTS)}")
    begin, load = time.time(), Path("/proc/loadavg").read_text().split()[0]
    rows: list[Row] = []
    for name in arguments.parts or list(PARTS):
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        rows += PARTS[name](arguments.quick)
    about = {
        "kernel": platform.release(),
        "load1_before": load,
        "utc": time.strftime("%Y-%m-%d %H:%M", time.gmtime(begin)),
        "minutes": round((time.time() - begin) / 60, 1),
    }
    print_table(rows, about)
    if arguments.json:
        found = {"benchmark": "network", "machine": about, "rows": [row.as_json() for row in rows]}
        Path(arguments.json).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
