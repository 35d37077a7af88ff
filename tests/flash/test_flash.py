# SPDX-License-Identifier: Apache-2.0
"""hilcop flash and dump as a person runs them, by programs of this host."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import PROGRAM, Rig, result_of


def test_the_first_part_and_its_own_image_are_meant_when_none_is_named(rig: Rig) -> None:
    done = rig.hilcop("flash", "d")
    assert done.returncode == 0, done.stderr
    assert rig.place.read_bytes() == rig.image
    assert "copy written: 100000 bytes in " in done.stdout
    assert f"by command, SHA-256 {hashlib.sha256(rig.image).hexdigest()}, verified: read back" in done.stdout
    assert "verify: 97.7 KiB of 97.7 KiB, 100 %" in done.stderr
    assert "\x1b" not in done.stderr, "not a terminal"


@pytest.mark.parametrize(
    ("part", "why"), [("blind", "the board file says no `read_back:` for it"), ("unwanted", "the board file says verify: false")]
)
def test_what_is_not_verified_is_said_and_is_no_success_unless_accepted(part: str, why: str, rig: Rig) -> None:
    done = rig.flash(part)
    assert done.returncode == 3
    assert f"NOT VERIFIED: {why}" in done.stdout
    result = result_of(rig.flash(part, "--accept-unverified", "--json"))
    assert result["verified_by"] == ""
    assert result["unverified_why"] == why


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("liar", "differs from the image from byte 5000 on"),
        ("short", "differs from the image from byte 1000 on"),
        ("fails", "sh failed: exit status 3"),
        ("fails", "no such chip"),
        ("none", "no-such-program"),
    ],
)
def test_what_goes_wrong_is_told(part: str, says: str, rig: Rig) -> None:
    done = rig.flash(part)
    assert done.returncode == 3
    assert says in done.stderr, done.stderr
    assert done.stdout == ""


def alive(text: str) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _has(entry, text)]


def _has(entry: Path, text: str) -> bool:
    try:
        return text.encode() in (entry / "environ").read_bytes() and b"sleep" in (entry / "cmdline").read_bytes()
    except OSError:
        return False


def test_a_program_that_hangs_is_killed_with_all_that_it_started(rig: Rig) -> None:
    began = time.monotonic()
    done = rig.flash("hangs", "--timeout", "5", "--record", "record")
    assert time.monotonic() - began < 20
    assert done.returncode == 3
    assert "not done in time" in done.stderr, done.stderr
    assert alive(str(rig.folder / "r")) == []
    events = rig.events("flash")
    program = next(event["data"] for event in events if event["kind"] == "flash.program")
    assert program["status"] == "killed"
    assert program["output"] == "10%\n"
    assert next(event["data"] for event in events if event["kind"] == "flash.end")["error"]["kind"] == "Timeout"


def test_ctrl_c_ends_it(rig: Rig) -> None:
    process = subprocess.Popen(
        [PROGRAM, "flash", "d", "--part", "hangs"],
        cwd=rig.folder,
        env=rig.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    process.stderr.readline()  # the line of its phase: the program runs
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted" in said
    assert alive(str(rig.folder / "r")) == []


def test_percentages_are_progress_on_a_terminal(rig: Rig) -> None:
    done = subprocess.run(
        ["script", "-qec", f"{PROGRAM} flash d --part percent --accept-unverified", "/dev/null"],
        cwd=rig.folder,
        env=rig.environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert b"\r\x1b[Kwrite: 48.8 KiB of 97.7 KiB, 50 %" in done.stdout, done.stdout


def test_double_braces_are_braces(rig: Rig) -> None:
    assert rig.flash("braces", "--accept-unverified").returncode == 0
    assert rig.place.read_bytes() == rig.image


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["flash", "d", "--part", "copi"], "choose one of: copy, blind"),
        (["flash", "d", "--image", "none.bin"], "there is no image"),
        (["flash", "nobody"], "choose one of: anonymous, both, d, socket"),
        (["dump", "d"], "--out"),
        (["flash", "d", "--timeout", "0"], "--timeout"),
        (["flash", "anonymous", "--part", "fastboot"], "flash_values: { usb_path: ..., serial: ... }"),
        (["flash", "anonymous", "--part", "dfu"], "flash_values: { usb_path: ..., serial: ... }"),
    ],
)
def test_usage_errors_exit_with_2(words: Sequence[str], says: str, rig: Rig) -> None:
    done = rig.hilcop(*words)
    assert done.returncode == 2, done.stderr
    assert says in done.stdout + done.stderr


def test_an_empty_image_is_refused_before_anything_is_done(rig: Rig) -> None:
    (rig.folder / "image.bin").write_bytes(b"")
    done = rig.flash("copy", "--record", "record")
    assert done.returncode == 2, done.stdout
    assert "image.bin is empty" in done.stderr
    assert not rig.place.exists()
    assert "flash.begin" not in [event["kind"] for event in rig.events("flash")]


def test_a_dump_that_reads_nothing_says_so_and_leaves_its_end_on_record(rig: Rig) -> None:
    done = rig.hilcop("dump", "d", "--part", "nothing", "--out", "out.bin", "--record", "record")
    assert done.returncode == 3
    assert "nothing was read" in done.stderr, done.stderr
    end = next(event["data"] for event in rig.events("dump") if event["kind"] == "flash.end")
    assert end["error"]["kind"] == "Protocol"
    assert not (rig.folder / "out.bin").exists()


@pytest.mark.parametrize(
    ("out", "says"), [("pipe", "is no file"), ("bin", "is no file"), ("dangling", "leads nowhere"), ("none/out", "there is no folder")]
)
def test_what_is_no_file_is_not_replaced_by_a_dump(out: str, says: str, rig: Rig) -> None:
    os.mkfifo(rig.folder / "pipe")
    (rig.folder / "dangling").symlink_to("none")
    there = sorted(rig.folder.iterdir())
    done = rig.hilcop("dump", "d", "--out", out)  # it would fail: `place` is not there
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert [path for path in sorted(rig.folder.iterdir()) if path.name not in ("r", "s")] == there
    assert (rig.folder / "pipe").is_fifo()


def test_a_dump_goes_where_a_link_leads(rig: Rig) -> None:
    rig.place.write_bytes(rig.image)
    (rig.folder / "real").write_text("earlier")
    (rig.folder / "link").symlink_to("real")
    assert rig.hilcop("dump", "d", "--out", "link").returncode == 0
    assert (rig.folder / "link").is_symlink()
    assert (rig.folder / "real").read_bytes() == rig.image


def test_a_dump_is_whole_or_not_there(rig: Rig) -> None:
    rig.place.write_bytes(rig.image)
    result = result_of(rig.hilcop("dump", "d", "--out", "out.bin", "--json"))
    assert (rig.folder / "out.bin").read_bytes() == rig.image
    assert result["sha256"] == hashlib.sha256(rig.image).hexdigest()
    assert result["verified_by"] == "second read, SHA-256"
    done = rig.hilcop("dump", "d", "--out", "moving.bin", "--part", "moving")
    assert done.returncode == 3
    assert "two reads differ" in done.stderr
    assert not (rig.folder / "moving.bin").exists()


def test_completion_offers_the_parts_of_the_dut(rig: Rig) -> None:
    said = rig.hilcop("complete", "flash", "d", "--part", "d").stdout
    assert said.splitlines() == ["dfu\tdfu"]
    assert "openocd\topenocd" in rig.hilcop("complete", "dump", "d", "--part", "").stdout
    assert "d\tb" in rig.hilcop("complete", "dump", "").stdout


def test_python_does_the_same(rig: Rig) -> None:
    code = (
        "import hilcop\n"
        "with hilcop.open_bench('bench.yaml', duts=['d']) as bench:\n"
        "    dut = bench.dut('d')\n"
        "    done = dut.flash(part='copy')\n"
        "    print(done.bytes, done.route, done.verified_by, done.unverified_why)\n"
        "    print(repr(dut.flash('other.bin', part='blind').verified_by))\n"
        "    try:\n"
        "        dut.flash(part='hangs', timeout_s=0.5)\n"
        "    except hilcop.TimeoutError as error:\n"
        "        print(error.object)\n"
        "    try:\n"
        "        dut.flash(part='liar')\n"
        "    except hilcop.ProtocolError as error:\n"
        "        print('byte 5000' in str(error))\n"
        "    print(dut.dump('out.bin').bytes)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=rig.folder, env=rig.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["100000 command read back ", "''", "flash part 'hangs' of dut 'd'", "True", "100000"]
