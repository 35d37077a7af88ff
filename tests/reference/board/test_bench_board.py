# SPDX-License-Identifier: Apache-2.0
"""The units of ./dev build on lab-config/examples/reference.yaml: hilcop takes them through a start, an unlocking and a power cut."""

from __future__ import annotations

import json
import os
from pathlib import Path

import hilcop
import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])


@pytest.mark.parametrize("number", [1, 2])
def test_a_unit_starts_and_its_own_secret_opens_its_console(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNTIME", "STATE"):
        monkeypatch.setenv(f"HILCOP_{name}_DIR", str(tmp_path / name.lower()))
    record = json.loads((SOURCE / f"build/boards/reference/units/{number}/record.json").read_text())
    with hilcop.open_bench(SOURCE / "lab-config/examples/reference.yaml", duts=[f"unit{number}"]) as bench:
        dut = bench.dut(f"unit{number}")
        for _ in range(2):
            dut.power.on()
            boot = dut.boot_to()
            assert boot.complete, boot.missing
            dut.console.write(f"unlock {record['debug_unlock']}\r")
            dut.console.expect("ht1# ")
            assert json.loads(dut.console.run("cat /factory/unit.json").output)["serial"] == record["serial"]
            dut.power.off()
