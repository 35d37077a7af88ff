# SPDX-License-Identifier: Apache-2.0
"""Many consoles in one process, each a UART with its own rate: processor time, memory, lost bytes, late stamps, what SIGKILL loses."""

from __future__ import annotations

import bisect
import json
import signal
import statistics
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import rig
from table import Row, ratio

ALL = str(rig.MATERIAL / "patterns")
BURST_MS = 16  # an FTDI adapter's latency timer as it comes
FIRST_AT = 1000


def once(engine: str, count: int, baud: int, seconds: float, kill: bool = False) -> dict[str, Any]:
    rig.more_descriptors()
    with rig.folder_and_lines(count) as (folder, lines):
        words, environment = rig.command(engine, "lines", folder, ALL, lines, [])
        tool = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert tool.stdout is not None
        tool.stdout.readline()
        log = folder / "bursts"
        corpus = rig.MATERIAL / "corpus.log"
        before, begin = rig.cpu_s(tool.pid), time.monotonic()
        device = rig.device(lines, "lines", FIRST_AT, count, corpus, baud / 10, BURST_MS, seconds, log, first_at=FIRST_AT)
        result: dict[str, Any] = {}
        if kill:
            time.sleep(0.2 + seconds / 2)
            killed_at = time.monotonic_ns()
            rig.terminate(tool, signal.SIGKILL)
            rig.end(device)
            result["lost_ms"] = lost_to_sigkill(folder, count, log, killed_at)
            return result
        assert device.stdout is not None
        sent = json.loads(device.stdout.readline())
        time.sleep(0.3)  # what the kernel still has: the tool reads on
        result["cpu"] = (rig.cpu_s(tool.pid) - before) / (time.monotonic() - begin - 0.5)
        result |= json.loads(rig.terminate(tool).strip().splitlines()[-1])
        rig.end(device)
        result |= {"lost": sent["sent"] - result["bytes"], "refused": sent["refused"], "sent": sent["sent"]}
        if engine == "hilcop":
            result["late_ms"] = stamps_late(folder, count, log)
    return result


def bursts(log: Path, count: int) -> list[list[tuple[int, int]]]:
    """For each UART: (bytes so far, steady ns)."""
    each: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for line in log.read_text().splitlines():
        uart, sent, at = map(int, line.split())
        each[uart].append((sent, at))
    return each


def stamps_late(folder: Path, count: int, log: Path) -> list[float]:
    """How much later than its writing each burst's last byte is stamped, in ms, sorted."""
    late = []
    for uart, sent in enumerate(bursts(log, count)):
        index = list(struct.iter_unpack("<Qqq", (folder / f"c{uart}-main.index").read_bytes()))
        begins = [entry[0] for entry in index]
        for total, at in sent:
            late.append((index[bisect.bisect_right(begins, total - 1) - 1][1] - at) / 1e6)
    return sorted(late)


def lost_to_sigkill(folder: Path, count: int, log: Path, killed_at: int) -> float:
    """The age at the kill of the oldest byte that is in no file, in ms."""
    oldest = 0.0
    for uart, sent in enumerate(bursts(log, count)):
        kept = (folder / f"c{uart}-main.raw").stat().st_size
        missing = [at for total, at in sent if total > kept and at <= killed_at]
        if missing:
            oldest = max(oldest, (killed_at - missing[0]) / 1e6)
    return oldest


def many(count: int, baud: int, seconds: float, rounds: int) -> list[Row]:
    name = f"{count} consoles at {baud} baud"
    once("hilcop", count, baud, 1)  # warms the page cache
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(once("asyncio", count, baud, seconds))
        ours.append(once("hilcop", count, baud, seconds))
    late = sorted(value for one in ours for value in one["late_ms"])
    shown_late = f"p50 {late[len(late) // 2]:.2f}, most {late[-1]:.1f} ms"
    asyncio_lost = sum(one["lost"] for one in theirs)
    above = statistics.median((one["rss_kib"] - one["automaton_kib"]) / 1024 for one in ours)
    lost = sum(one["lost"] for one in ours)
    less = ratio([one["cpu"] for one in ours], [one["cpu"] for one in theirs])
    busy = 100 * statistics.median(one["cpu"] for one in theirs)
    refused = sum(one["refused"] for one in ours)
    killed = max(once("hilcop", count, baud, seconds, kill=True)["lost_ms"] for _ in range(rounds))
    return [
        Row(f"{name}: share of a core", 100 * statistics.median(one["cpu"] for one in ours), "%", "<= 20"),
        Row(f"{name}: of asyncio's processor time", less, "x", "<= 0.333", f"asyncio {busy:.0f} %, lost {asyncio_lost} bytes"),
        Row(f"{name}: resident memory above the automaton", above, "MiB", "<= 32"),
        Row(f"{name}: bytes lost", lost, "", "<= 0", f"of {sum(o['sent'] for o in ours)}; the terminals refused {refused}"),
        Row(f"{name}: a stamp is late by, 99.9 %", late[int(len(late) * 0.999)], "ms", "<= 5", shown_late),
        Row(f"{name}: lost to SIGKILL", killed, "ms", "<= 100"),
    ]


def tio(count: int, baud: int, seconds: float) -> Row:
    """One process a port, as tio is used."""
    with rig.folder_and_lines(count) as (folder, lines):
        tools = [
            subprocess.Popen(["tio", "--log", "--log-file", folder / f"tio{i}.log", "--timestamp", port], stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for i, port in enumerate(lines.terminals)
        ]  # fmt: skip
        time.sleep(1)
        before = sum(rig.cpu_s(tool.pid) for tool in tools)
        device = rig.device(
            lines, "lines", FIRST_AT, count, rig.MATERIAL / "corpus.log", baud / 10, BURST_MS, seconds, folder / "bursts", first_at=FIRST_AT
        )
        rig.end(device)
        used = sum(rig.cpu_s(tool.pid) for tool in tools) - before
        for tool in tools:
            tool.kill()
            tool.wait(timeout=30)
    return Row(f"{count} consoles at {baud} baud: tio, one process each", 100 * used / seconds, "%")


def uarts(quick: bool) -> list[Row]:
    seconds, rounds = (5.0, 1) if quick else (10.0, 3)
    rows = many(256, 115200, seconds, rounds) + many(64, 921600, seconds, rounds)
    return rows if quick else [*rows, tio(256, 115200, 5.0)]
