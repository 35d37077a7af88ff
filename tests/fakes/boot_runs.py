# SPDX-License-Identifier: Apache-2.0
"""Run directories whose boots a test writes line by line: each line arrives 0.1 s after the one before."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path
from typing import Any

SOUND = ["U-Boot 2023.01", "Starting kernel ...", "[    0.100000] virtio up", "app[12]: started in 12 ms", "READY up=1.5"]
BEGINNINGS = itertools.count(10**9, 10**12)  # no two boots begin at the same time
STAGES = {"loader": "U-Boot", "ready": "READY"}


class BootRuns:
    """One run of one DUT; `whole_run`: as `hilcop run` makes it, else as open_bench(record_dir=...) does."""

    def __init__(self, folder: Path, dut: str = "board1", *, whole_run: bool = True) -> None:
        self.folder, self.dut = folder, dut
        self.console = folder / "console" if whole_run else folder
        self.timeline = folder / "timeline" / "worker.ndjson" if whole_run else folder / "timeline.ndjson"
        for made in (self.console, self.timeline.parent):
            made.mkdir(parents=True, exist_ok=True)
        self.raw = b""
        self.index = b""
        self.log = ""
        self.now = next(BEGINNINGS)
        self.number = 0
        watchers = [f"stage:{name}" for name in STAGES]
        self.event(f"{dut}/main", "console.open", stream="s", file=f"{dut}-main.raw", watchers=watchers)

    def event(self, source: str, kind: str, **data: Any) -> BootRuns:
        line = {"steady_ns": self.now, "utc": "2025-11-24T10:00:00.000000000Z", "source": source, "kind": kind, "data": data}
        with self.timeline.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.now += 1000
        return self

    def boot(self, lines: list[str], *, off: bool = True, slow: float = 1) -> BootRuns:
        self.number += 1
        begin = self.now
        self.event(self.dut, "boot.begin", boot=self.number, cause="power", offset=len(self.raw))
        for line in lines:
            self.now += int(slow * 10**8)
            at = len(self.raw)
            self.say(line + "\r\n")
            for stage, pattern in STAGES.items():
                if pattern in line:
                    elapsed = (self.now - begin) / 1e9
                    seen = {"elapsed_s": elapsed, "limit_s": 2.0, "within": elapsed <= 2, "begin": at, "end": at + len(pattern)}
                    self.event(self.dut, "boot.stage", boot=self.number, stage=stage, **seen)
        if off:
            self.event(f"{self.dut}/power", "power.edge", on=False, offset=len(self.raw), acknowledged_ns=self.now, details={})
        return self

    def say(self, text: str) -> None:
        self.index += struct.pack("<Qqq", len(self.raw), self.now, 0)
        self.raw += text.encode()
        for ending, content in ((".raw", self.raw), (".index", self.index), (".log", self.raw)):
            (self.console / f"{self.dut}-main{ending}").write_bytes(content)
