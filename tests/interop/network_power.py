# SPDX-License-Identifier: Apache-2.0
"""A bench of one DUT whose power is a switch on the network, a keeper of its own, and `hilcop power`."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAM = os.environ["HILCOP_PROGRAM"]


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Bench:
    """`instrument`: the keys of the instrument, as YAML's flow mapping."""

    def __init__(self, folder: Path, instrument: str, channel: str = "1", verify: str = "{}") -> None:
        self.folder = folder
        self.environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "runtime"), "HILCOP_STATE_DIR": str(folder / "state")}
        (folder / "plain.yaml").write_text("board: plain\n")
        (folder / "bench.yaml").write_text(
            f"bench: net\ninstruments:\n  unit: {instrument}\n"
            f"duts:\n  lamp: {{ board: plain.yaml, power: {{ instrument: unit, channel: '{channel}', verify: {verify} }} }}\n"
        )
        self._keeper = subprocess.Popen([PROGRAM, "keeper", "--idle-s", "60"], cwd=folder, env=self.environment, stderr=subprocess.DEVNULL)
        assert until((folder / "runtime" / "keeper.sock").exists)

    def hilcop(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def power(self, action: str) -> subprocess.CompletedProcess[str]:
        return self.hilcop("power", "lamp", action, "-b", "bench.yaml")

    def held_on(self) -> Held:
        return Held(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._keeper.kill()
        self._keeper.wait()


class Held:
    """`hilcop power lamp on`, while it runs."""

    def __init__(self, bench: Bench) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "power", "lamp", "on", "-b", "bench.yaml"],
            cwd=bench.folder,
            env=bench.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line.startswith("on; held"), line + self._process.stdout.read()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=20)
