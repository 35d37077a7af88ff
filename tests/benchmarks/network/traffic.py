# SPDX-License-Identifier: Apache-2.0
"""A network of its own with a port that is flooded (traffic_tool.cc), and the peers that record there too."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOL = Path(os.environ.get("HILCOP_BUILD_DIR", "build/release")) / "tests/benchmarks/bench_traffic"


@dataclass(frozen=True)
class Recorded:
    packets: int
    dropped: int
    processor_s: float


def entering(pid: int) -> list[str]:
    """The network of a process, with the user namespace where it has one of its own."""
    user = [] if os.readlink(f"/proc/{pid}/ns/user") == os.readlink("/proc/self/ns/user") else ["--user", "--preserve-credentials"]
    return ["nsenter", f"--target={pid}", "--net", *user]


class Traffic:
    def __init__(self, tool: subprocess.Popen[str]) -> None:
        self._tool = tool

    def ask(self, *words: object) -> dict[str, Any]:
        assert self._tool.stdin
        assert self._tool.stdout
        print(*words, file=self._tool.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._tool.stdout.readline())
        return answer

    def flood(self, seconds: float, size: int, rate: float) -> dict[str, Any]:
        return self.ask("flood", seconds, size, rate)

    def ours(self, file: Path, seconds: float, size: int, rate: float) -> tuple[Recorded, dict[str, Any]]:
        self.ask("record", file)
        sent = self.flood(seconds, size, rate)
        said = self.ask("stop")
        file.unlink()
        return Recorded(said["packets"], said["dropped"], said["processor_s"]), sent

    def peer(self, words: list[str], file: Path, seconds: float, size: int, rate: float) -> tuple[Recorded, dict[str, Any]]:
        """tcpdump or dumpcap beside it, which say how many packets they kept and lost when they are interrupted."""
        with subprocess.Popen([*entering(self._tool.pid), *words, "-w", str(file)], stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            said = ""
            while not re.search(r"listening on|Capturing on|^File:", said, re.MULTILINE):
                line = process.stderr.readline()
                assert line, said
                said += line
            sent = self.flood(seconds, size, rate)
            process.send_signal(signal.SIGINT)
            said += process.stderr.read()
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0
        file.unlink()
        if kept := re.search(r"(\d+) packets? captured", said):  # tcpdump
            lost = re.search(r"(\d+) packets? dropped by kernel", said)
        else:
            kept, lost = re.search(r"Packets captured: (\d+)", said), re.search(r"dropped on interface .*?: \d+/(\d+)", said)
        assert kept, said
        assert lost, said
        return Recorded(int(kept[1]), int(lost[1]), used.ru_utime + used.ru_stime), sent


@contextmanager
def traffic() -> Iterator[Traffic]:
    words = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"]), str(TOOL)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tool:
        yield Traffic(tool)
        assert tool.stdin
        tool.stdin.close()
        assert tool.wait(30) == 0
