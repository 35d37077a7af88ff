# SPDX-License-Identifier: Apache-2.0
"""HT1-NETWORK run as anybody would: a sound unit passes all of it, one with flaws fails what they are about and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bench_file import write_bench
from machine import SOURCE, make_unit

MOST_OPEN = 5


def tour(folder: Path, *flaws: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    make_unit(folder / "unit", *(["--flaws", ",".join(flaws)] if flaws else []))
    bench, out = write_bench(folder, folder / "unit"), folder / "run"
    environment = {**os.environ, "HILCOP_HOME": str(SOURCE)}
    environment |= {f"HILCOP_{name}_DIR": str(folder / name) for name in ("RUNTIME", "STATE")}
    words = [os.environ["HILCOP_PROGRAM"], "run", str(SOURCE / "boards/reference/network.py"), "--bench", str(bench), "--out", str(out)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=1000, check=False)
    checks = json.loads((out / "run.json").read_text())["scenarios"][0]["checks"]
    return done.returncode, {check["name"]: check for check in checks}, done.stdout + done.stderr


def test_a_sound_unit_passes_all_of_it(tmp_path: Path) -> None:
    status, checks, said = tour(tmp_path)
    others = {name: check for name, check in checks.items() if check["verdict"] != "Pass"}
    # A host that is busy with other tests leaves some of it open, and says so.
    assert all(check["verdict"] == "Inconclusive" and "the host was busy" in check["reason"] for check in others.values()), said
    assert len(checks) == 28
    assert len(others) <= MOST_OPEN, said
    assert status == (3 if others else 0)


OF_CERTIFICATES = (
    "self_signed",
    "unknown_ca",
    "wrong_name",
    "expired",
    "not_yet_valid",
    "leaf_as_ca",
    "wrong_usage",
    "weak_key",
    "weak_signature",
)


@pytest.mark.full
@pytest.mark.parametrize(
    ("flaws", "must", "may"),
    [
        (
            ("name-unchecked", "expiry-unchecked", "telnet-during-boot"),
            {"case wrong_name", "case expired", "ports"},
            {"case not_yet_valid"},
        ),
        (("cert-unchecked",), {f"case {name}" for name in OF_CERTIFICATES}, set()),
        (("mqtt-clear",), {"plain", "secrets"}, set()),
    ],
    ids=["name, expiry, telnet", "certificate", "MQTT in clear"],
)
def test_flaws_fail_what_they_are_about(tmp_path: Path, flaws: tuple[str, ...], must: set[str], may: set[str]) -> None:
    status, checks, said = tour(tmp_path, *flaws)
    failed = {name for name, check in checks.items() if check["verdict"] == "Fail"}
    assert must <= failed <= must | may, said
    assert status == 1
