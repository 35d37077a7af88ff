# SPDX-License-Identifier: Apache-2.0
"""Prompt round trip: a line is sent, its answer ends with the prompt. Latency: from the answer's writing to the match."""

from __future__ import annotations

import statistics
from pathlib import Path

import rig
from table import Row, ratio, spread

ALL = str(rig.MATERIAL / "patterns")


def once(engine: str, count: int) -> tuple[float, float]:
    """Median latency in us, commands a second."""
    with rig.folder_and_lines() as (folder, lines):
        given, got = folder / "given", folder / "got"
        device = rig.device(lines, "pings", lines.masters[0], count, given)
        result = rig.run(engine, "pings", folder, ALL, lines, count, got)
        rig.end(device)
        waits = [int(b) - int(a) for a, b in zip(_stamps(given), _stamps(got), strict=True)]
    return statistics.median(waits) / 1e3, count / result["wall_s"]


def _stamps(file: Path) -> list[str]:
    return file.read_text().split()


def pings(quick: bool) -> list[Row]:
    rounds, engines = (5 if quick else 15), {"read": 2000, "hilcop": 2000, "hilcop-python": 2000, "pexpect": 1000, "labgrid": 500}
    latency: dict[str, list[float]] = {engine: [] for engine in engines}
    speed: dict[str, list[float]] = {engine: [] for engine in engines}
    for turn in range(rounds):
        for engine, count in list(engines.items())[:: 1 if turn % 2 == 0 else -1]:
            wait, each = once(engine, count)
            latency[engine].append(wait)
            speed[engine].append(each)
    shown = {engine: f"p50 {statistics.median(values):.1f} us ({spread(values)})" for engine, values in latency.items()}
    per_s = {engine: f"{statistics.median(values):.0f} a second" for engine, values in speed.items()}
    return [
        Row(
            "prompt latency p50, C++, of a blocking read",
            ratio(latency["hilcop"], latency["read"]),
            "x",
            "<= 1.6",
            f"{shown['hilcop']}; read {shown['read']}",
        ),
        Row(
            "prompt latency p50, Python, of a blocking read",
            ratio(latency["hilcop-python"], latency["read"]),
            "x",
            "<= 2.1",
            shown["hilcop-python"],
        ),
        Row(
            "commands a second from Python, of pexpect fdspawn",
            ratio(speed["hilcop-python"], speed["pexpect"]),
            "x",
            ">= 3",
            f"{per_s['hilcop-python']}; pexpect {per_s['pexpect']}",
        ),
        Row(
            "commands a second from Python, of labgrid",
            ratio(speed["hilcop-python"], speed["labgrid"]),
            "x",
            ">= 5",
            f"labgrid {per_s['labgrid']}",
        ),
        Row("commands a second from C++", statistics.median(speed["hilcop"]), "/s", "", f"read {per_s['read']}"),
    ]
