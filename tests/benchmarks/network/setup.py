# SPDX-License-Identifier: Apache-2.0
"""How long it takes until a network of the bench's own is there, recorded and answering, and until it has gone."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from table import Row, spread

BUILD = Path(os.environ.get("HILCOP_BUILD_DIR", "build/release"))


def setup(quick: bool) -> list[Row]:
    rounds = 5 if quick else 30
    with tempfile.TemporaryDirectory() as folder:
        command = [BUILD / "tests/benchmarks/bench_setup", BUILD.resolve() / "bin/hilcop", folder, str(rounds)]
        said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    done = [json.loads(line) for line in said.splitlines()]
    assert len(done) == rounds
    assert all(one["captured"] for one in done)
    rows = []
    for key, name, most in [
        ("up_s", "a network is there, recorded and answering", 0.2),
        ("down_s", "it has gone, its capture complete", 0.5),
    ]:
        times = sorted(one[key] for one in done)
        rows.append(Row(f"until {name}", times[rounds // 2], "s", f"<= {most}", f"{spread(times)} s, {rounds} rounds"))
    return rows
