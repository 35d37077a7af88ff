# SPDX-License-Identifier: Apache-2.0
"""Where the capture of a DUT's network is kept."""

from __future__ import annotations

import os
from pathlib import Path

import hilcop
import pytest

BENCH = """
bench: kept
instruments:
  machine: { driver: qemu-machine, arguments: [-M, virt], network: [{ channel: network }] }
duts:
  lamp: { board: plain.yaml, power: { instrument: machine, channel: power }, network: { instrument: machine, channel: network } }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("runtime", "state"):
        monkeypatch.setenv(f"HILCOP_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.setenv("HILCOP_HOME", os.environ["HILCOP_SOURCE_DIR"])
    (tmp_path / "plain.yaml").write_text("board: plain\n")
    (tmp_path / "bench.yaml").write_text(BENCH)
    return tmp_path


def captured(folder: Path, **where: Path) -> Path | None:
    with hilcop.open_bench(folder / "bench.yaml", **where) as bench:
        file = bench.dut("lamp").network.capture_file
    assert file is None or file.stat().st_size > 0
    return file


def test_whoever_comes_after_one_that_died_records_beside_it(folder: Path) -> None:
    files = [captured(folder, record_dir=folder / "record") for _ in range(3)]
    assert files == [folder / "record" / "network" / name for name in ("lamp.pcapng", "2/lamp.pcapng", "3/lamp.pcapng")]


def test_captures_have_a_folder_of_their_own_where_one_is_named(folder: Path) -> None:
    assert (
        captured(folder, record_dir=folder / "run" / "console", capture_dir=folder / "run" / "network")
        == folder / "run/network/lamp.pcapng"
    )
    assert not (folder / "run" / "console" / "network").exists()


def test_without_a_record_nothing_is_kept(folder: Path) -> None:
    assert captured(folder) is None
    assert not list(folder.rglob("*.pcapng"))
