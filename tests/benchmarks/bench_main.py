# SPDX-License-Identifier: Apache-2.0
"""What every `./dev bench NAME` of parts does: choose them, run one after the other, print a table, keep it.

Its caller has put `console` in the path, where the table is.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from table import Row, print_table

Part = Callable[[bool], list[Row]]


def bench(name: str, parts: Mapping[str, Part], quick: str) -> None:
    """Each part is called with whether it is to be quick; `quick` says what that means."""
    parser = argparse.ArgumentParser(prog=f"./dev bench {name}")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", help="file to write")
    arguments = parser.parse_args()
    if wrong := [part for part in arguments.parts if part not in parts]:
        parser.error(f"no part {wrong[0]!r}: choose from {', '.join(parts)}")
    begin, load = time.time(), Path("/proc/loadavg").read_text().split()[0]
    rows: list[Row] = []
    failed = []
    for part in arguments.parts or list(parts):
        print(f"bench: {part} ...", file=sys.stderr, flush=True)
        try:
            rows += parts[part](arguments.quick)
        except Exception:  # what the others found in half an hour is not lost by it
            traceback.print_exc()
            failed.append(part)
    about = {
        "kernel": platform.release(),
        "load1_before": load,
        "utc": time.strftime("%Y-%m-%d %H:%M", time.gmtime(begin)),
        "minutes": round((time.time() - begin) / 60, 1),
    }
    print_table(rows, about)
    if arguments.json:
        found = {"benchmark": name, "machine": about, "rows": [row.as_json() for row in rows]}
        Path(arguments.json).write_text(json.dumps(found, indent=1) + "\n")
    if failed:
        sys.exit(f"bench: failed: {', '.join(failed)}")
