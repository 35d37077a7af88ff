# SPDX-License-Identifier: Apache-2.0
"""A bench whose DUT is flashed by programs of this host, and tools of others that stand in for where there is no device."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

BENCH = """
bench: b
instruments: {}
duts:
  d: { board: board.yaml, serial_number: T-0007, flash_values: { place: PLACE, serial: S1 } }
  both: { board: board.yaml, serial_number: T-0007, flash_values: { place: PLACE, serial: S1, usb_path: 1-1.4 } }
  socket: { board: board.yaml, serial_number: T-0007, flash_values: { place: PLACE, serial: '', usb_path: 1-1.4 } }
  anonymous: { board: board.yaml, serial_number: T-0007, flash_values: { place: PLACE, serial: '', usb_path: '' } }
"""

BOARD = """
board: b
flash:
  - { name: copy, image: image.bin, command: { run: [cp, '{file}', '{place}'], read_back: [cp, '{place}', '{output}'] } }
  - { name: blind, image: image.bin, command: { run: [cp, '{file}', '{place}'] } }
  - { name: unwanted, image: image.bin, verify: false, command: { run: [cp, '{file}', '{place}'], read_back: ['false'] } }
  - { name: liar, image: image.bin, command: { run: ['true'], read_back: [cp, other.bin, '{output}'] } }
  - { name: short, image: image.bin, command: { run: ['true'], read_back: [sh, -c, 'head -c 1000 image.bin > {output}'] } }
  - { name: fails, image: image.bin, command: { run: [sh, -c, 'echo no such chip >&2; exit 3'] } }
  - { name: hangs, image: image.bin, command: { run: [sh, -c, 'echo 10%; sleep 60 & sleep 60'] } }
  - { name: none, image: image.bin, command: { run: [no-such-program] } }
  - { name: percent, image: image.bin, command: { run: [sh, -c, 'for i in 5 50 100; do echo $i%; sleep 0.4; done'] } }
  - { name: braces, image: image.bin, command: { run: [sh, -c, 'test {{x}} = "{{x}}" && cp {file} {place}'] } }
  - { name: dfu, image: image.bin, dfu: { device: '0483:df11', alt: fw } }
  - { name: fastboot, image: image.bin, fastboot: { partition: boot } }
  - name: openocd
    image: image.bin
    openocd: { config: [target/x.cfg], setup: ['adapter serial {serial}'], after: [reset run], address: 0x8000000 }
dump:
  - { name: copy, command: { run: [cp, '{place}', '{output}'] } }
  - { name: moving, command: { run: [sh, -c, 'date +%N > {output}'] } }
  - { name: nothing, command: { run: ['true'] } }
  - { name: dfu, dfu: { device: '0483:df11', alt: fw } }
  - { name: once, verify: false, dfu: { device: '0483:df11', alt: fw } }
  - { name: openocd, openocd: { any_adapter: true, address: 0x8000000, length_bytes: 4096 } }
"""


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / "place"
        (folder / "bench.yaml").write_text(BENCH.replace("PLACE", str(self.place)))
        (folder / "board.yaml").write_text(BOARD)
        self.image = bytes(i * 7 & 255 for i in range(100_000))
        (folder / "image.bin").write_bytes(self.image)
        (folder / "other.bin").write_bytes(self.image[:5000] + b"x" + self.image[5001:])
        self.environment = {
            **os.environ,
            "HILCOP_RUNTIME_DIR": str(folder / "r"),
            "HILCOP_STATE_DIR": str(folder / "s"),
            "HILCOP_HOME": str(SOURCE),
            "HILCOP_BENCH": str(folder / "bench.yaml"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }
        (folder / "bin").mkdir()

    def program(self, name: str, body: str) -> None:
        """Stands in for a tool: notes its arguments in `calls`, then does what `body` says."""
        file = self.folder / "bin" / name
        file.write_text(
            f"#!{sys.executable}\nimport json, pathlib, sys\na = sys.argv[1:]\n"
            f"with open({str(self.folder / 'calls')!r}, 'a') as f: f.write(json.dumps(a) + chr(10))\n{body}\n"
        )
        file.chmod(0o755)

    def calls(self) -> list[list[str]]:
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def hilcop(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def events(self, writer: str) -> list[dict[str, Any]]:
        """What was recorded with --record record."""
        return [json.loads(line) for line in (self.folder / f"record/timeline/{writer}.ndjson").read_text().splitlines()]

    def flash(self, part: str, *more: str) -> subprocess.CompletedProcess[str]:
        return self.hilcop("flash", "d", "--part", part, *more)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result
