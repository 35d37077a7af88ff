# SPDX-License-Identifier: Apache-2.0
"""The pins of the board, from outside, through QEMU's test socket: button is line 5 of the PL061, LED line 6."""

from __future__ import annotations

import socket
import tempfile
import time
from pathlib import Path

PL061, BUTTON, LED = "/machine/unattached/device[6]", 5, 6
DATA_OF_ALL_LINES = 0x90303FC


class Pins:
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="ht1-pins-")
        self.path = Path(self.folder.name) / "qtest"
        self.line: socket.socket | None = None

    def options(self) -> list[str]:
        self.close()
        return ["-qtest", f"unix:{self.path},server=on,wait=off", "-qtest-log", "none"]

    def close(self) -> None:
        if self.line:
            self.line.close()
        self.line = None
        self.path.unlink(missing_ok=True)

    def ask(self, text: str) -> str:
        if self.line is None:
            self.line = socket.socket(socket.AF_UNIX)
            self.line.settimeout(10)
            self.line.connect(str(self.path))
        self.line.sendall(text.encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            more = self.line.recv(256)
            assert more, "the machine is off"
            answer += more
        assert answer.startswith(b"OK"), f"{text}: {answer!r}"
        return answer.decode().removeprefix("OK").strip()

    def press(self, pressed: bool) -> None:
        self.ask(f"set_irq_in {PL061} unnamed-gpio-in {BUTTON} {int(pressed)}")

    def led(self) -> bool:
        return bool(int(self.ask(f"readl {DATA_OF_ALL_LINES:#x}"), 0) & 1 << LED)

    def wait_for_led(self, on: bool, seconds: float) -> float:
        """When it was seen so, on the clock of time.monotonic()."""
        end = time.monotonic() + seconds
        while self.led() != on:
            assert time.monotonic() < end, f"the LED did not go {'on' if on else 'off'} in {seconds} s"
        return time.monotonic()
