# SPDX-License-Identifier: Apache-2.0
"""Pseudo-terminals, the device program on one side and a tool on the other."""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import tempfile
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[3]
BUILD = SOURCE / "build" / "release"
PROGRAMS = BUILD / "tests" / "benchmarks"
MATERIAL = SOURCE / "build" / "bench" / "material"
LIMIT_S = 900


def more_descriptors() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Lines:
    """Some pseudo-terminals in raw mode, closed on the tool's side: hilcop takes a port for itself alone."""

    def __init__(self, count: int, folder: Path) -> None:
        self.masters, self.terminals, self.ports = [], [], []
        for i in range(count):
            master, slave = pty.openpty()
            tty.setraw(slave)
            link = folder / f"port{i}"
            link.symlink_to(os.ttyname(slave))
            self.masters.append(master)
            self.terminals.append(os.ttyname(slave))
            # libserialport wants /dev/..., and the same below /sys/class/tty.
            self.ports.append(f"/dev/../../..{link}")
            os.close(slave)

    def close(self) -> None:
        for master in self.masters:
            os.close(master)


@contextmanager
def folder_and_lines(count: int = 1) -> Iterator[tuple[Path, Lines]]:
    folder = Path(tempfile.mkdtemp(prefix="hilcop-bench-"))
    lines = Lines(count, folder)
    try:
        yield folder, lines
    finally:
        lines.close()
        shutil.rmtree(folder)


def device(lines: Lines, *words: object, first_at: int | None = None) -> subprocess.Popen[str]:
    """The device program; it ends when its standard input closes. `first_at`: its masters stand from that descriptor on."""
    descriptors = lines.masters
    if first_at is not None:
        descriptors = [os.dup2(master, first_at + i, inheritable=True) for i, master in enumerate(lines.masters)]
    process = subprocess.Popen(
        [PROGRAMS / "bench_device", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=descriptors,
    )
    if first_at is not None:
        for descriptor in descriptors:
            os.close(descriptor)
    return process


def command(engine: str, mode: str, folder: Path, patterns: str, lines: Lines, rest: list[str]) -> tuple[list[Any], dict[str, str]]:
    environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "runtime"), "HILCOP_STATE_DIR": str(folder / "state")}
    here = Path(__file__).parent
    if engine in ("read", "hilcop"):
        ports = lines.ports if engine == "hilcop" else lines.terminals
        return [PROGRAMS / "bench_tool", engine, mode, folder, patterns, *ports, *rest], environment
    if engine == "expect":
        return ["expect", here / "peer.exp", mode, patterns, *lines.terminals], environment
    if engine == "tio":
        return ["tio", "--log", "--log-file", folder / "tio.log", "--timestamp", *lines.terminals], environment
    ports = lines.terminals
    if engine == "hilcop-python":
        environment |= {"LD_PRELOAD": str(PROGRAMS / "libbench_pty_port.so"), "PYTHONPATH": str(BUILD / "python")}
        environment |= {"HILCOP_PROGRAM": str(BUILD / "bin" / "hilcop")}
        ports = lines.ports
    return ["/usr/bin/python3", here / "peers.py", engine, mode, folder, patterns, *ports, *rest], environment


def run(engine: str, mode: str, folder: Path, patterns: str, lines: Lines, *rest: object) -> dict[str, Any]:
    words, environment = command(engine, mode, folder, patterns, lines, [str(word) for word in rest])
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{engine} {mode}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def end(process: subprocess.Popen[str]) -> str:
    """The device's side: its input closes, its output is returned."""
    out, _ = process.communicate(timeout=LIMIT_S)
    return out


def cpu_s(pid: int) -> float:
    """Processor time of every thread of a process, by the scheduler's own account."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def rss_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def terminate(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    return out
