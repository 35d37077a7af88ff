# SPDX-License-Identifier: Apache-2.0
"""The example benches that stand in lab-config/examples are what the program takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


@pytest.mark.parametrize("file", sorted((SOURCE / "lab-config/examples").glob("*.yaml")), ids=lambda file: str(file.stem))
def test_an_example_is_without_a_mistake(file: Path) -> None:
    environment = {**os.environ, "HILCOP_HOME": str(SOURCE)}
    done = subprocess.run([PROGRAM, "check", str(file)], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
