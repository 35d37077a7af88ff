# SPDX-License-Identifier: Apache-2.0
"""The units of ./dev build on lab-config/examples/reference.yaml: hilcop takes them through a start, an unlocking and a power cut."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import hilcop
import pytest
from bench_file import write_bench
from machine import make_unit

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])


def nobody_writes_the_fuses(dut: hilcop.Dut) -> None:
    """Root neither; what it can write is the disk beside them, by the same command."""
    fuses = dut.console.run("for disk in vda vdb; do [ -e /dev/${disk}6 ] || echo /dev/$disk; done").output.strip()
    main = {"/dev/vda": "/dev/vdb", "/dev/vdb": "/dev/vda"}[fuses]
    before = dut.console.run(f"sha256sum <{fuses}").output

    def overwritten(disk: str) -> bool:
        # Sector 1,000 is of no partition of the main disk.
        seek = 0 if disk == fuses else 1000
        dut.console.run(f"head -c 512 /dev/urandom >/tmp/noise; dd if=/tmp/noise of={disk} bs=512 seek={seek} conv=notrunc,fsync")
        dut.console.run("echo 3 >/proc/sys/vm/drop_caches")
        return dut.console.run(f"dd if={disk} bs=512 skip={seek} count=1 2>/dev/null | cmp - /tmp/noise").exit_status == 0

    assert overwritten(main), "the control: this is how a disk is written"
    assert not overwritten(fuses)
    assert dut.console.run(f"sha256sum <{fuses}").output == before
    with pytest.raises(hilcop.ConfigError, match="read_only"):
        dut.power.arm_cut(trigger="disk-write", disk="fuses", count=1)


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.full)])
def test_a_unit_starts_and_its_own_secret_opens_its_console(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNTIME", "STATE"):
        monkeypatch.setenv(f"HILCOP_{name}_DIR", str(tmp_path / name.lower()))
    record = json.loads((SOURCE / f"build/boards/reference/units/{number}/record.json").read_text())
    with hilcop.open_bench(SOURCE / "lab-config/examples/reference.yaml", duts=[f"unit{number}"]) as bench:
        dut = bench.dut(f"unit{number}")
        for start in (1, 2):
            dut.power.on()
            boot = dut.boot_to()
            assert boot.complete, boot.missing
            dut.console.write(f"unlock {record['debug_unlock']}\r")
            dut.console.expect("ht1# ")
            assert json.loads(dut.console.run("cat /factory/unit.json").output)["serial"] == record["serial"]
            if start == 1:
                nobody_writes_the_fuses(dut)
            dut.power.off()


PASSES = {"recovers": "Pass", "closed": "Pass", "reset": "Pass"}
FLAWED = pytest.param("console-shell-open", 1, {**PASSES, "closed": "Fail"}, marks=pytest.mark.full)


@pytest.mark.parametrize(("flaws", "status", "verdicts"), [("", 0, PASSES), FLAWED])
def test_hilcop_runs_a_unit_through_its_life(flaws: str, status: int, verdicts: dict[str, str], tmp_path: Path) -> None:
    make_unit(tmp_path / "unit", "--flaws", flaws)
    bench, out = write_bench(tmp_path, tmp_path / "unit"), tmp_path / "run"
    environment = {**os.environ, "HILCOP_HOME": str(SOURCE)}
    environment |= {f"HILCOP_{name}_DIR": str(tmp_path / name) for name in ("RUNTIME", "STATE")}
    words = [os.environ["HILCOP_PROGRAM"], "run", SOURCE / "boards/reference/life.py", "--bench", bench, "--effort", "demo", "--out", out]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=400, check=False)
    checks = json.loads((out / "run.json").read_text())["scenarios"][0]["checks"]
    assert {check["name"]: check["verdict"] for check in checks} == verdicts, done.stdout + done.stderr
    assert done.returncode == status
