# SPDX-License-Identifier: Apache-2.0
"""A console of a bench's own, whose other end is a program or a TCP port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hilcop
import pytest

BENCH = """
bench: credentials
instruments:
  line: {{ {line} }}
duts:
  a: {{ board: plain.yaml, consoles: {{ main: {{ instrument: line, channel: console }} }} }}
"""


@contextmanager
def console_of(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> Iterator[hilcop.Console]:
    """`line`: an instrument of lab-config. The board has no shell of its own; what is seen is recorded in `record`."""
    for name in ("runtime", "state"):
        monkeypatch.setenv(f"HILCOP_{name.upper()}_DIR", str(folder / name))
    monkeypatch.setenv("HILCOP_HOME", os.environ["HILCOP_SOURCE_DIR"])
    (folder / "plain.yaml").write_text("board: plain\n")
    (folder / "bench.yaml").write_text(BENCH.format(line=line))
    with hilcop.open_bench(folder / "bench.yaml", record_dir=folder / "record") as bench:
        yield bench.dut("a").console


@contextmanager
def console_of_script(folder: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> Iterator[hilcop.Console]:
    """What a shell script says and hears on a terminal."""
    (folder / "device").write_text(f"#!/bin/sh\nexec 2>&1\n{device}\n")
    (folder / "device").chmod(0o755)
    with console_of(folder, monkeypatch, f"driver: command-console, program: {folder / 'device'}") as console:
        yield console
