# SPDX-License-Identifier: Apache-2.0
"""How the cloud fails on purpose. One file says it and is read at each request: it can be changed while the cloud runs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from authority import CloudError, write_new

WHERE = ("register", "erase", "metadata", "bundles", "pages")
KINDS = {
    "503": "says that it is unavailable",
    "hang": "takes the request and never answers",
    "stall": "sends the first half, then nothing more",
    "truncated": "sends the first half, then hangs up",
    "stale": "metadata only: the oldest that was ever published, validly signed",
}
FILE = "faults.json"


def parse(words: list[str]) -> dict[str, str]:
    faults = {}
    for word in words:
        where, _, kind = word.partition("=")
        if where not in WHERE or kind not in KINDS or (kind == "stale" and where != "metadata"):
            known = f"one of {', '.join(WHERE)}, '=', one of {', '.join(KINDS)} (stale: metadata only)"
            raise CloudError(f"fault '{word}': not known: say {known}")
        faults[where] = kind
    return faults


def write(folder: Path, faults: dict[str, str]) -> None:
    write_new(folder / FILE, json.dumps(faults).encode(), 0o644)


def current(folder: Path) -> dict[str, str]:
    try:
        held = json.loads((folder / FILE).read_text())
        return parse([f"{where}={kind}" for where, kind in held.items()])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, CloudError) as error:
        print(f"cloud: {folder / FILE}: {error}: no fault is applied; write it with cloud/fault", file=sys.stderr)
        return {}


def main() -> int:
    kinds = "; ".join(f"{kind}: {what}" for kind, what in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="fault", description=f"How the cloud in DIR fails from now on; nothing named: it does not. {kinds}."
    )
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument("faults", nargs="*", metavar="WHERE=KIND", help=f"where: {', '.join(WHERE)}")
    words = parser.parse_args()
    try:
        write(words.dir, parse(words.faults))
    except (CloudError, OSError) as error:
        print(f"fault: {error}", file=sys.stderr)
        return 2
    return 0
