# SPDX-License-Identifier: Apache-2.0
"""Wall time from the first byte to the match at the end of N MB that arrive as fast as a pseudo-terminal can."""

from __future__ import annotations

import statistics
import struct
from pathlib import Path
from typing import Any

import material
import rig
from table import Row, ratio, spread

PROMPT = b"root@board:~# "
ALL = str(rig.MATERIAL / "patterns")


def once(engine: str, megabytes: int, patterns: str, text: Path = rig.MATERIAL / "corpus.log", block: int = 4096) -> dict[str, Any]:
    size = megabytes << 20
    with rig.folder_and_lines() as (folder, lines):
        device = rig.device(lines, "flood", lines.masters[0], text, size, block)
        result = rig.run(engine, "flood", folder, patterns, lines)
        rig.end(device)
        if engine.startswith("hilcop"):
            recorded = folder / "c0-main.raw" if engine == "hilcop" else folder / "record" / "dut-main.raw"
            corpus = text.read_bytes()
            sent = (corpus * (size // len(corpus) + 1))[:size] + b"\r\n" + PROMPT
            if recorded.read_bytes() != sent:
                raise RuntimeError(f"{engine}: the recording differs from what was sent")
            result["sent"] = sent
            if engine == "hilcop":
                index = recorded.with_suffix(".index").read_bytes()
                result["read_begins"] = {entry[0] for entry in struct.iter_unpack("<Qqq", index)}
    return result


def walls(engines: list[tuple[str, str]], megabytes: int, rounds: int) -> dict[tuple[str, str], list[float]]:
    times: dict[tuple[str, str], list[float]] = {engine: [] for engine in engines}
    for turn in range(rounds):
        for engine, patterns in engines if turn % 2 == 0 else engines[::-1]:
            times[engine, patterns].append(once(engine, megabytes, patterns)["wall_s"])
    return times


def planted() -> Row:
    """Hits at any place, blocks of random size: each is found once, where it is. A pattern that could go on (`ip [0-9a-f]+`) is
    found as soon as it fits, so its end may come early, but only where a read ended."""
    text = rig.MATERIAL / "planted.log"
    result = once("hilcop", 8, ALL, text, 0)
    expected = {hit[:2]: hit[2] for hit in material.hits_in(result["sent"])}
    found = {(watcher, begin): end for watcher, begin, end in result["hits"]}
    if len(found) != len(result["hits"]):
        raise RuntimeError("a planted hit was found twice")
    wrong = expected.keys() ^ found.keys()
    for hit in expected.keys() & found.keys():
        early = found[hit] < expected[hit] and found[hit] in result["read_begins"]
        if found[hit] != expected[hit] and not early:
            wrong.add(hit)
    return Row(
        "planted hits lost, moved or invented in 8 MB",
        len(wrong),
        "",
        "<= 0",
        f"{len(expected)} planted, blocks of 1 to 9000 bytes, recording byte-equal",
    )


def shown(walls_s: list[float]) -> str:
    return f"{statistics.median(walls_s) * 1e3:.0f} ms ({spread(walls_s, 1e3, 0)})"


def flood(quick: bool) -> list[Row]:
    rounds = 3 if quick else 9
    rows, ours = [planted()], {}
    for megabytes, goal in ((4, "<= 2"), (8, "<= 1.5"), (32, "<= 1.5")):
        times = walls([("read", ALL), ("hilcop", ALL), ("hilcop-python", ALL)], megabytes, rounds)
        bare, console, python = times["read", ALL], times["hilcop", ALL], times["hilcop-python", ALL]
        ours[megabytes] = statistics.median(console)
        detail = f"{shown(console)} against {shown(bare)}"
        rows.append(Row(f"{megabytes} MB to the match, C++, of a bare read() loop", ratio(console, bare), "x", goal, detail))
        rows.append(
            Row(
                f"{megabytes} MB to the match, Python, of a bare read() loop",
                ratio(python, bare),
                "x",
                "",
                f"{statistics.median(python) * 1e3:.0f} ms",
            )
        )
    rows.append(Row("time for 32 MB of that for 8 MB", ours[32] / ours[8], "x", "<= 4.5"))
    return rows


def peers(quick: bool) -> list[Row]:
    rows = []
    wanted = [("pexpect-tuned", "1", 8, ">= 12"), ("asyncio", ALL, 8, ""), ("expect", "1", 8, "")]
    if not quick:
        wanted += [
            ("pexpect", "1", 8, ">= 80"),
            ("labgrid", "1", 8, ">= 30"),
            ("labgrid", ALL, 1, ">= 500"),
            ("pexpect", ALL, 1, ""),
            ("expect", ALL, 1, ""),
        ]
    for engine, patterns, megabytes, goal in wanted:
        times = walls([("hilcop", ALL), ("read", ALL), (engine, patterns)], megabytes, 3)
        console, bare, other = times["hilcop", ALL], times["read", ALL], times[engine, patterns]
        count = "1 pattern" if patterns == "1" else "64 patterns"
        floor = f"a bare read() loop: {ratio(other, bare):.3g} x"
        detail = f"{statistics.median(other) * 1e3:.0f} ms against {statistics.median(console) * 1e3:.1f} ms; {floor}"
        rows.append(Row(f"faster than {engine}, {count}, {megabytes} MB", ratio(other, console), "x", goal, detail))
    return rows
