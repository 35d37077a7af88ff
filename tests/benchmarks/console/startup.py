# SPDX-License-Identifier: Apache-2.0
"""What it costs to start: the program, the package, the pytest plugin. Wall times of whole processes, in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import rig
from table import Row, spread

PYTHON = "/usr/bin/python3"


def wall_ms(words: list[str | Path], environment: dict[str, str], folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(words, env=environment, cwd=folder, check=True, capture_output=True, timeout=60)
    return (time.perf_counter() - begin) * 1e3


def startup(quick: bool) -> list[Row]:
    environment = {**os.environ, "PYTHONPATH": str(rig.BUILD / "python"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    pytest = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    commands: dict[str, list[str | Path]] = {
        "version": [rig.BUILD / "bin" / "hilcop", "version"],
        "python": [PYTHON, "-c", "pass"],
        "import": [PYTHON, "-c", "import hilcop"],
        "pytest": [*pytest, "test_nothing.py"],
        "plugin": [*pytest, "-p", "hilcop.pytest_plugin", "test_nothing.py"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        for turn in range(6 if quick else 22):
            for what, words in commands.items():
                took = wall_ms(words, environment, Path(name))
                if turn > 0:  # the first warms the caches
                    times[what].append(took)

    def more(what: str, than: str) -> float:
        return statistics.median(a - b for a, b in zip(times[what], times[than], strict=True))

    shown = {what: f"{statistics.median(values):.0f} ms ({spread(values)})" for what, values in times.items()}
    return [
        Row("hilcop version", statistics.median(times["version"]), "ms", "<= 20", shown["version"]),
        Row("import hilcop over bare Python", more("import", "python"), "ms", "<= 30", f"{shown['import']} against {shown['python']}"),
        Row("the pytest plugin over bare pytest", more("plugin", "pytest"), "ms", "<= 20", f"{shown['plugin']} against {shown['pytest']}"),
    ]
