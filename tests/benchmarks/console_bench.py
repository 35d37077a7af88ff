# SPDX-License-Identifier: Apache-2.0
"""./dev bench console [--quick] [--json FILE] [PART...]: hilcop's console beside a bare read() loop and its peers, in one run.

Parts: flood, peers, pings, uarts, waits, startup (default: all). Ratios are medians of the ratios of rounds that ran one after the other.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "console"))

import flood
import material
import pings
import rig
import startup
import uarts
import waits
from table import Row, print_table

PARTS = {
    "flood": flood.flood,
    "peers": flood.peers,
    "pings": pings.pings,
    "uarts": uarts.uarts,
    "waits": waits.waits,
    "startup": startup.startup,
}


def versions() -> dict[str, str]:
    names = ["python3-pexpect", "labgrid", "expect", "tio", "python3", "libvectorscan5", "libserialport0"]
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names], capture_output=True, text=True, check=False, timeout=30
    )
    return dict(line.split() for line in shown.stdout.splitlines() if len(line.split()) == 2)


def machine() -> dict[str, Any]:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?"
    )
    return {"kernel": platform.release(), "processor": model, "processors": len(list(Path("/sys/devices/system/cpu").glob("cpu[0-9]*")))}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench console")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a third of the rounds, and the slow peers left out")
    parser.add_argument("--json", help="file to write")
    arguments = parser.parse_args()
    if wrong := [part for part in arguments.parts if part not in PARTS]:
        parser.error(f"no part {wrong[0]!r}: choose from {', '.join(PARTS)}")
    rig.more_descriptors()
    material.make(rig.MATERIAL)
    rows: list[Row] = []
    begin, load = time.time(), Path("/proc/loadavg").read_text().split()[0]
    for name in arguments.parts or list(PARTS):
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        rows += PARTS[name](arguments.quick)
    about = {
        **machine(),
        "load1_before": load,
        "utc": time.strftime("%Y-%m-%d %H:%M", time.gmtime(begin)),
        "minutes": round((time.time() - begin) / 60, 1),
    }
    print_table(rows, about)
    if arguments.json:
        Path(arguments.json).write_text(
            json.dumps(
                {"benchmark": "console", "machine": about, "versions": versions(), "rows": [row.as_json() for row in rows]}, indent=1
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
