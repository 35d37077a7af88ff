# SPDX-License-Identifier: Apache-2.0
"""A board that is late because the host was busy is not a late board."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hilcop
import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
BUSY = "import os, signal\nos.sched_setaffinity(0, {%d})\nsignal.alarm(60)\nwhile True: pass"


def emulators(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if b"qemu-system" in (entry / "cmdline").read_bytes() and str(folder).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def starved(pid: int) -> Iterator[None]:
    """All threads of the process share one processor with many who are more important (and of other sessions: autogroups)."""
    processor = min(os.sched_getaffinity(0))
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {processor})
        os.setpriority(os.PRIO_PROCESS, int(task.name), 19)
    crowd = [subprocess.Popen([sys.executable, "-c", BUSY % processor], start_new_session=True) for _ in range(12)]
    try:
        yield
    finally:
        for busy in crowd:
            busy.kill()
            busy.wait()


def test_a_starved_boot_is_told_from_a_late_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILCOP_RUNTIME_DIR", str(tmp_path / "r"))
    monkeypatch.setenv("HILCOP_STATE_DIR", str(tmp_path / "s"))
    board = (SOURCE / "boards/qemu-arm64.yaml").read_text().replace("../", f"{SOURCE}/")
    for limit in ("deadline_s: 5", "deadline_s: 15", "deadline_s: 30"):
        board = board.replace(limit, "deadline_s: 4")
    (tmp_path / "slow.yaml").write_text(board)
    bench_file = tmp_path / "bench.yaml"
    bench_file.write_text((SOURCE / "lab-config/virtual.yaml").read_text().replace("board: qemu-arm64", f"board: {tmp_path}/slow.yaml"))
    with hilcop.open_bench(bench_file, duts=["board1"], boards_dir=SOURCE / "boards") as bench:
        dut = bench.dut("board1")
        dut.power.on()
        (pid,) = emulators(tmp_path)
        with starved(pid):
            late = dut.boot_to()
        assert not late.complete
        assert late.starved_only, late.starved_s
        dut.power.off()
        dut.power.on()
        dut.boot_to("boot-loader")
        os.kill(emulators(tmp_path)[0], 19)  # SIGSTOP: a device that hangs by itself is waited for by nobody
        hung = dut.boot_to()
        assert not hung.complete
        assert not hung.starved_only, hung.starved_s
