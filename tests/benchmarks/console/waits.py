# SPDX-License-Identifier: Apache-2.0
"""Processor time a byte while a wait goes on and on without its match: it must not grow with what has arrived."""

from __future__ import annotations

import subprocess
import time

import rig
from table import Row
from uarts import ALL, BURST_MS, FIRST_AT

BYTES_PER_S = 400_000


def waits(quick: bool) -> list[Row]:
    late_from, length = (8, 2) if quick else (22, 3)
    ratios, each = [], []
    for _ in range(1 if quick else 3):
        with rig.folder_and_lines() as (folder, lines):
            seconds = late_from + length + 1
            words, environment = rig.command("hilcop", "waits", folder, ALL, lines, [str(seconds)])
            tool = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            assert tool.stdout is not None
            tool.stdout.readline()
            device = rig.device(
                lines,
                "lines",
                FIRST_AT,
                1,
                rig.MATERIAL / "corpus.log",
                BYTES_PER_S,
                BURST_MS / 4,
                seconds,
                folder / "bursts",
                first_at=FIRST_AT,
            )
            time.sleep(0.5)
            used = []
            for begin in (0, late_from):
                time.sleep(max(0.0, begin - length if begin else 0))
                before = rig.cpu_s(tool.pid)
                time.sleep(length)
                used.append(rig.cpu_s(tool.pid) - before)
            tool.communicate(timeout=120)
            rig.end(device)
            ratios.append(used[1] / used[0])
            each.append(used[1] / length / BYTES_PER_S * 1e9)
    ratios.sort()
    name = f"processor time a byte after {late_from + length} s without a match, of that after {length} s"
    detail = f"{sorted(each)[len(each) // 2]:.0f} ns a byte at {BYTES_PER_S} bytes a second"
    return [Row(name, ratios[len(ratios) // 2], "x", "<= 1.2", detail)]
