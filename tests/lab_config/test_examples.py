# SPDX-License-Identifier: Apache-2.0
"""`hilcop discover` tells of each instrument of the example benches whether it is there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]
EXAMPLES = sorted(p for p in (SOURCE / "lab-config/examples").glob("*.yaml") if "\nduts:" in p.read_text())  # and boards beside them


def hilcop(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "r"), "HILCOP_STATE_DIR": str(folder / "s"), "HILCOP_HOME": str(SOURCE)}
    return subprocess.run([PROGRAM, *words], env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_discover_tells_of_each_instrument_whether_it_is_there(file: Path, tmp_path: Path) -> None:
    done = hilcop("discover", "--bench", str(file), "--json", folder=tmp_path)
    assert done.returncode in (0, 3), done.stderr
    instruments = json.loads(done.stdout)["instruments"]
    assert instruments
    assert {one["state"] for one in instruments} <= {"there", "perhaps", "missing", "not looked for"}
    assert (done.returncode == 3) == ("missing" in {one["state"] for one in instruments})


def test_there_are_examples() -> None:
    assert EXAMPLES
