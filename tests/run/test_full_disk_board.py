# SPDX-License-Identifier: Apache-2.0
"""What a run says when its disk is full, or when QEMU is not there: a clear error with a remedy, nothing powered, nothing passed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

TALK = """
from pathlib import Path
from hilcop import scenario
@scenario("X99-TALK", title="t", clauses=[], roles=[], timeout_s=60)
def talk(dut, run):
    check = run.check("c", expected="e")
    dut.power.on()
    check.control("boots", ok=dut.boot_to().complete)
    dut.console.login()
    dut.console.run("seq 1 2000")
    check.judge(True, observed="fine")
"""


def hilcop(folder: Path, *words: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HILCOP_RUNTIME_DIR": str(folder / "r"),
        "HILCOP_STATE_DIR": str(folder / "s"),
        "HILCOP_HOME": str(SOURCE),
    }
    return subprocess.run([*prefix, PROGRAM, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_disk_that_fills_while_recording_is_an_error_and_never_a_pass(tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(TALK)
    # Files of at most 24 KiB, as on a disk that is full by then; the kernel's boot log alone is longer.
    limited = ("/bin/sh", "-c", 'trap "" XFSZ; ulimit -f 24; exec "$@"', "sh")
    hilcop(tmp_path, "power", "board1", "status", "-b", "virtual")  # the keeper writes disks: it is started without the limit
    done = hilcop(tmp_path, "run", "X99-TALK", "-b", "virtual", "--scenarios", "talk.py", "--out", "run", prefix=limited)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "free disk space" in done.stdout + done.stderr
    assert hilcop(tmp_path, "power", "board1", "status", "-b", "virtual").stdout == "off\n"
    raw = (tmp_path / "run/console/board1-main.raw").read_bytes()
    assert raw, "what came before is kept"


def test_a_missing_qemu_is_named_with_its_package(tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(TALK)
    bench = (SOURCE / "lab-config/virtual.yaml").read_text()
    (tmp_path / "bench.yaml").write_text(bench.replace("board: qemu-arm64 }", "board: qemu-arm64, program: qemu-system-nowhere }"))
    done = hilcop(tmp_path, "run", "X99-TALK", "-b", "bench.yaml", "--dut", "board1", "--scenarios", "talk.py", "--out", "run")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "qemu-system-nowhere" in done.stdout
    assert "apt-get install" in done.stdout or "install" in done.stdout
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["scenarios"][0]["verdict"] == "Error"
