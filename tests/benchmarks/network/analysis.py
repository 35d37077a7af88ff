# SPDX-License-Identifier: Apache-2.0
"""Reading captures: how fast canaries are searched for, and mixed packets read beside tshark in the same round."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from table import Row, ratio, spread

TOOL = Path(os.environ.get("HILCOP_BUILD_DIR", "build/release")) / "tests/benchmarks/bench_analysis"
FIELDS = [
    *("frame.number", "frame.time_epoch", "frame.len", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport"),
    *("dns.qry.name", "dns.a", "tls.handshake.extensions_server_name", "http.authbasic", "http.host", "http.request.uri"),
    *("mqtt.username", "mqtt.passwd", "mqtt.topic", "ftp.request.arg", "telnet.data", "dhcp.option.hostname", "coap.opt.uri_path_recon"),
]


def tool(*arguments: object) -> dict[str, Any]:
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=600)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def canaries(quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.pcapng"
        planted = tool("make-large", file, 256_000_000 if quick else 1_000_000_000)["planted"]
        runs = [tool("canaries", file) for _ in range(3)]
        size = file.stat().st_size
    found = f"{runs[0]['found']} of {planted} planted found, limits: {runs[0]['limits']}"
    rows = []
    for name, key in [("of processor time", "seconds"), ("by the clock on the wall", "wall_seconds")]:
        rates = [run["bytes"] / run[key] / 1e6 for run in runs]
        detail = f"{spread(rates)}; a capture of {size / 1e6:.0f} MB; {found}"
        rows.append(Row(f"canary search, 100 in all forms, {name}", sorted(rates)[1], "MB/s", ">= 250", detail))
    return [
        *rows,
        Row("planted canaries found", runs[0]["found"] / planted, "of 1", ">= 1"),
    ]


def reading(quick: bool) -> list[Row]:
    ours, theirs, processor = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mixed.pcapng"
        packets = tool("make-mixed", file, 37_000)["packets"]
        command = ["tshark", "-r", str(file), "-T", "fields", *(part for field in FIELDS for part in ("-e", field))]
        for _ in range(2 if quick else 5):
            begin = time.monotonic()
            said = tool("read", file)
            ours.append(time.monotonic() - begin)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            begin = time.monotonic()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=600)
            theirs.append(time.monotonic() - begin)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            processor.append((after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime) / said["seconds"])
    detail = f"{packets} packets; ours {spread(ours, 1000, 0)} ms, tshark {spread(theirs, 1000, 0)} ms"
    return [
        Row("reading mixed packets, beside tshark -T fields", ratio(theirs, ours), "times faster", ">= 10", detail),
        Row("the same by processor time", sorted(processor)[len(processor) // 2], "times less"),
    ]
