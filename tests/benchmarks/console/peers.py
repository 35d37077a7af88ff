# SPDX-License-Identifier: Apache-2.0
"""The bench's side of the benchmarks in Python: hilcop's package, and the programs that it is compared with.

peers.py ENGINE flood|pings|lines DIR PATTERNS PORT [COUNT STAMPS | PORT...] prints one line of JSON. PATTERNS `1`: the prompt alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROMPT = "root@board:~# "
LIMIT_S = 600


def prompt_and(patterns: str) -> list[str]:
    return [re.escape(PROMPT)] + ([] if patterns == "1" else Path(patterns).read_text().splitlines())


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Hilcop:
    """The package as a script uses it: a bench file with one DUT, whose board file has the patterns as watchers."""

    def __init__(self, folder: Path, patterns: str, port: str) -> None:
        import hilcop

        watchers = "".join(f"  - {{ name: w{i}, pattern: '{text}' }}\n" for i, text in enumerate(prompt_and(patterns)[1:]))
        (folder / "board.yaml").write_text(f"board: bench\nwatchers:\n{watchers}")
        (folder / "bench.yaml").write_text(
            f"bench: bench\ninstruments: {{ adapter: {{ driver: serial, port: {port} }} }}\n"
            "duts: { dut: { board: board.yaml, consoles: { main: { instrument: adapter, channel: console } } } }\n"
        )
        self.bench = hilcop.open_bench(folder / "bench.yaml", record_dir=folder / "record")
        self.console = self.bench.dut("dut").console

    def send(self, text: str) -> None:
        self.console.write(text)

    def expect(self) -> None:
        self.console.expect(PROMPT.encode(), timeout_s=LIMIT_S)

    def close(self) -> None:
        self.bench.close()


class Pexpect:
    """pexpect.fdpexpect as it comes; `window`: with searchwindowsize, which its own documentation recommends for speed."""

    def __init__(self, patterns: str, port: str, window: int | None = None) -> None:
        from pexpect import fdpexpect

        self.spawn = fdpexpect.fdspawn(os.open(port, os.O_RDWR | os.O_NOCTTY), timeout=LIMIT_S, searchwindowsize=window)
        self.compiled = self.spawn.compile_pattern_list(prompt_and(patterns))

    def send(self, text: str) -> None:
        self.spawn.send(text)

    def expect(self) -> None:
        self.spawn.expect_list(self.compiled)

    def close(self) -> None:
        pass


class Labgrid:
    def __init__(self, patterns: str, port: str) -> None:
        from labgrid import Target
        from labgrid.driver import SerialDriver
        from labgrid.resource import RawSerialPort

        target = Target("t")
        RawSerialPort(target, name=None, port=port, speed=115200)
        self.driver = SerialDriver(target, name=None)
        target.activate(self.driver)
        wanted = prompt_and(patterns)
        self.wanted: Any = wanted if len(wanted) > 1 else wanted[0]

    def send(self, text: str) -> None:
        self.driver.write(text.encode())

    def expect(self) -> None:
        self.driver.expect(self.wanted, timeout=LIMIT_S)

    def close(self) -> None:
        pass


class Recorded:
    """What an asyncio program does that records, stamps and searches what it reads: log, index, one alternation over a bounded window."""

    def __init__(self, folder: Path, name: str, search: Callable[[bytes], object]) -> None:
        self.log = (folder / f"{name}.log").open("wb", buffering=0)
        self.index = (folder / f"{name}.index").open("w")
        self.search, self.tail, self.total = search, b"", 0

    def feed(self, data: bytes) -> bool:
        self.log.write(data)
        self.index.write(f"{self.total} {time.monotonic_ns()} {time.time_ns()}\n")
        self.total += len(data)
        window = self.tail + data
        found = self.search(window)
        self.tail = window[-256:]
        return found is not None


class Asyncio:
    def __init__(self, folder: Path, patterns: str, port: str) -> None:
        self.fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.recorded = Recorded(folder, "c0", re.compile(b"|".join(f"(?:{p})".encode() for p in prompt_and(patterns))).search)
        self.loop = asyncio.new_event_loop()

    def send(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def expect(self) -> None:
        done = self.loop.create_future()
        self.recorded.tail = b""

        def readable() -> None:
            if self.recorded.feed(os.read(self.fd, 65536)) and not done.done():
                done.set_result(None)

        self.loop.add_reader(self.fd, readable)
        self.loop.run_until_complete(asyncio.wait_for(done, LIMIT_S))
        self.loop.remove_reader(self.fd)

    def close(self) -> None:
        pass


def lines(folder: Path, patterns: str, ports: list[str]) -> dict[str, Any]:
    """asyncio on many ports until SIGTERM."""
    search = re.compile(b"|".join(f"(?:{p})".encode() for p in prompt_and(patterns))).search
    recorded = [Recorded(folder, f"c{i}", search) for i in range(len(ports))]

    async def serve() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        for one, port in zip(recorded, ports, strict=True):
            fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            loop.add_reader(fd, lambda fd=fd, one=one: one.feed(os.read(fd, 65536)))
        print("ready", flush=True)
        await ended.wait()

    asyncio.run(serve())
    return {"bytes": sum(one.total for one in recorded), "rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def make(engine: str, folder: Path, patterns: str, port: str) -> Any:
    return {
        "hilcop-python": lambda: Hilcop(folder, patterns, port),
        "pexpect": lambda: Pexpect(patterns, port),
        "pexpect-tuned": lambda: Pexpect(patterns, port, 4096),
        "labgrid": lambda: Labgrid(patterns, port),
        "asyncio": lambda: Asyncio(folder, patterns, port),
    }[engine]()


def main() -> None:
    engine, mode, folder, patterns, *rest = sys.argv[1:]
    if mode == "lines":
        print(json.dumps(lines(Path(folder), patterns, rest)))
        return
    tool = make(engine, Path(folder), patterns, rest[0])
    stamps = []
    begin, cpu = time.perf_counter(), cpu_s()
    if mode == "flood":
        tool.send("G")
        tool.expect()
    else:
        for _ in range(int(rest[1])):
            tool.send("uname -a\n")
            tool.expect()
            stamps.append(time.monotonic_ns())
    result = {"wall_s": time.perf_counter() - begin, "cpu_s": cpu_s() - cpu}
    if stamps:
        Path(rest[2]).write_text("\n".join(map(str, stamps)))
    tool.close()
    print(json.dumps(result))


main()
