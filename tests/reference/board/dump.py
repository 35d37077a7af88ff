# SPDX-License-Identifier: Apache-2.0
"""What whoever takes the flash out reads: the files of the data partition, and whether their bytes are still anywhere on the disk."""

from __future__ import annotations

import subprocess
from pathlib import Path

from machine import Machine

# Shorter pieces could be anywhere by chance.
LEAST = 16


def owners_files(machine: Machine, scratch: Path) -> dict[str, bytes]:
    """All files of the daemon's folder on the data partition, by name."""
    image, folder = scratch / "data.ext4", scratch / "dumped"
    image.write_bytes(machine.bytes_of("data"))
    # What a journal holds belongs to the files.
    repaired = subprocess.run(["e2fsck", "-fy", image], capture_output=True, text=True, timeout=60, check=False)
    assert repaired.returncode in (0, 1), repaired.stdout
    folder.mkdir(exist_ok=True)
    subprocess.run(["debugfs", "-R", f"rdump /app {folder}", image], check=True, capture_output=True, timeout=60)
    return {str(path.relative_to(folder / "app")): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def left_of(machine: Machine, files: dict[str, bytes]) -> list[str]:
    """Names of those files of which the disk still has a piece."""
    disk = (machine.unit / "main.raw").read_bytes()
    return [name for name, content in files.items() if len(content) >= LEAST and content[:64] in disk]
