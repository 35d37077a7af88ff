# SPDX-License-Identifier: Apache-2.0
"""A disk with a volatile write cache: what was not flushed when its power goes is lost, or half lost. Also at a chosen write."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PLUGIN = Path(os.environ["HILCOP_BUILD_DIR"]) / "lib/hilcop/nbdkit-power-loss-plugin.so"


class PowerLossDisk:
    """Served by nbdkit from on() to cut()."""

    def __init__(self, file: Path, *, ignores_flush: bool = False) -> None:
        self.file = file
        self.flushes = "ignored" if ignores_flush else "obeyed"
        self.sockets = tempfile.TemporaryDirectory(prefix="ht1-disk-")  # a unix socket's path is short
        self.data, self.control = Path(self.sockets.name) / "nbd", Path(self.sockets.name) / "control"
        self.process: subprocess.Popen[bytes] | None = None
        self.line: socket.socket | None = None
        self.rest = b""

    def on(self) -> None:
        assert self.process is None
        words = ["timeout", "-s", "KILL", "600", "nbdkit", "-f", "-U", str(self.data)]
        words += [str(PLUGIN), f"file={self.file}", f"control={self.control}", f"flushes={self.flushes}"]
        self.process = subprocess.Popen(words, start_new_session=True)
        end = time.monotonic() + 30
        while not (self.data.exists() and self.control.exists()):
            assert self.process.poll() is None, "nbdkit ended"
            assert time.monotonic() < end, "nbdkit does not serve the disk"
            select.select([], [], [], 0.02)
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(30)
        self.line.connect(str(self.control))
        self.rest = b""

    def message(self) -> dict[str, Any]:
        assert self.line
        while b"\n" not in self.rest:
            more = self.line.recv(4096)
            assert more, "the disk has ended"
            self.rest += more
        first, _, self.rest = self.rest.partition(b"\n")
        return json.loads(first)

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.line
        self.line.sendall(json.dumps(request).encode() + b"\n")
        while "event" in (answer := self.message()):
            pass
        assert "error" not in answer, answer
        return answer

    def fired(self) -> bool:
        """Whether the write that was armed has come: the disk takes nothing more."""
        assert self.line
        return b"fired" in self.rest or bool(select.select([self.line], [], [], 0)[0])

    def off(self, loss: str = "drop", seed: int = 0) -> None:
        if self.process is None:
            return
        assert self.line
        if not self.fired():
            self.ask(op="cut", loss=loss, seed=seed)
        self.line.close()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.process = None
        for path in (self.data, self.control):
            path.unlink(missing_ok=True)
