# SPDX-License-Identifier: Apache-2.0
"""Real boots of one board say the same, with noise masked and learned; what is planted is found."""

from __future__ import annotations

import os
from pathlib import Path

import hilcop
import pytest
from hilcop import ReferenceBoots

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])


def boot(dut: hilcop.Dut) -> hilcop.BootLog:
    dut.power.on()
    assert dut.boot_to().complete
    return dut.boot_log()


def texts(lines: list[hilcop.BootLine]) -> list[str]:
    return [line.text for line in lines]


def test_sound_boots_of_a_real_board_bring_no_new_line_and_a_planted_one_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILCOP_RUNTIME_DIR", str(tmp_path / "r"))
    monkeypatch.setenv("HILCOP_STATE_DIR", str(tmp_path / "s"))
    record = tmp_path / "record"
    with hilcop.open_bench(SOURCE / "lab-config/virtual.yaml", duts=["board1"], record_dir=record) as bench:
        dut = bench.dut("board1")
        boot(dut)  # of a fresh disk: no journal to recover
        dut.power.off()
        logs = []
        for _ in range(7):
            logs.append(boot(dut))
            dut.power.off()
        reference = ReferenceBoots(*logs[:3])
        assert (reference.boots, reference.left_out) == (3, [])
        assert reference.lines > 200
        for log in logs[3:]:
            assert log.doubt == ""
            assert texts(log.lines_not_in(reference)) == []
            assert texts(log.lines_missing_from(reference)) == []
        # A record that is kept is told by the next boot, instead of none.
        boot(dut)
        dut.console.login()
        assert dut.console.run("store put planted x").exit_status == 0
        dut.power.off()
        planted = boot(dut)
        (found,) = planted.lines_not_in(reference)
        assert found.text == "store: 1 records, 0 damaged"
        assert dut.console.bytes(found.begin, found.end).decode() == found.text
        assert found.elapsed_s is not None
        assert 0 < found.elapsed_s <= planted.stages[-1].elapsed_s
        assert texts(planted.lines_missing_from(reference)) == ["store: 0 records, 0 damaged"]
        # What the bench brings about after it began to talk is not the boot's.
        dut.console.login()
        dut.console.run("echo 'planted by hand' >/dev/kmsg; sync")
        assert texts(dut.boot_log().lines_not_in(reference)) == [found.text]
        dut.power.off()
    again = hilcop.read_boots(record)
    assert [log.ending for log in again] == ["ready"] * 10
    live = [line.text for line in logs[3].lines if line.whole]
    assert texts(again[4].lines)[: len(live)] == live
    with hilcop.open_bench(SOURCE / "tests/boards/planted.yaml", duts=["no-flush"], record_dir=tmp_path / "flaw") as bench:
        flawed = bench.dut("no-flush")
        boot(flawed)
        flawed.power.off()
    (flaw,) = hilcop.read_boots(tmp_path / "flaw")
    assert any("hilcop.flaw=no-flush" in line for line in texts(flaw.lines_not_in(reference)))


def test_a_cut_boot_of_a_real_board_is_told_as_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILCOP_RUNTIME_DIR", str(tmp_path / "r"))
    monkeypatch.setenv("HILCOP_STATE_DIR", str(tmp_path / "s"))
    with hilcop.open_bench(SOURCE / "lab-config/virtual.yaml", duts=["board1"]) as bench:  # not recorded: from memory
        dut = bench.dut("board1")
        with pytest.raises(hilcop.ConfigError, match=r"call power\.on"):
            dut.boot_log()
        dut.power.on()
        dut.boot_to("kernel")
        dut.power.off()
        log = dut.boot_log()
        assert (log.ending, log.complete, log.missing, log.file) == ("cut", False, "data", "")
        assert any("U-Boot" in line.text for line in log.lines)
