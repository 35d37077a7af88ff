# SPDX-License-Identifier: Apache-2.0
"""dfu-util, fastboot and openocd: stand-ins, and the real ones as far as they go without a device. dfu-util with one: tests/realusb."""

from __future__ import annotations

import re
import subprocess

import pytest
from conftest import Rig, result_of


def test_dfu_is_verified_by_what_it_uploads(rig: Rig) -> None:
    keeps = (
        "import shutil\nif '--download' in a: shutil.copy(a[a.index('--download') + 1], 'chip')\n"
        "else: shutil.copy('chip', a[a.index('--upload') + 1])"
    )
    rig.program("dfu-util", keeps)
    assert result_of(rig.flash("dfu", "--json"))["verified_by"] == "uploaded again"
    select = ["-w", "--device", "0483:df11", "--alt", "fw", "--serial", "S1"]
    write, read = rig.calls()
    assert write == [*select, "--download", str(rig.folder / "image.bin")]
    assert read[: len(select)] == select
    assert read[len(select) :][:3] == ["--upload-size", "100000", "--upload"]
    assert read[-1] == "--reset"
    rig.program("dfu-util", keeps.replace("'chip', a", "'other.bin', a"))
    done = rig.flash("dfu")
    assert done.returncode == 3
    assert "from byte 5000" in done.stderr


def test_a_dfu_suffix_is_not_looked_for_on_the_chip(rig: Rig) -> None:
    suffix = bytes.fromhex("0001 11df 8304 0001") + b"UFD" + bytes([16]) + bytes(4)
    (rig.folder / "x.dfu").write_bytes(rig.image + suffix)
    rig.program("dfu-util", "import shutil\nif '--upload' in a: shutil.copy('image.bin', a[a.index('--upload') + 1])")
    assert result_of(rig.flash("dfu", "--image", "x.dfu", "--json"))["verified_by"] == "uploaded again"


def test_fastboot_is_never_called_verified(rig: Rig) -> None:
    rig.program("fastboot", "")
    done = rig.flash("fastboot")
    assert done.returncode == 3
    assert "NOT VERIFIED: fastboot cannot read back" in done.stdout
    assert rig.calls() == [["-s", "S1", "flash", "boot", str(rig.folder / "image.bin")], ["-s", "S1", "reboot"]]


@pytest.mark.parametrize(
    ("dut", "dfu", "fastboot"),
    [
        ("d", ["--serial", "S1"], "S1"),
        ("both", ["--path", "1-1.4", "--serial", "S1"], "usb:1-1.4"),
        ("socket", ["--path", "1-1.4"], "usb:1-1.4"),
    ],
)
def test_a_device_is_chosen_by_flash_values_alone(dut: str, dfu: list[str], fastboot: str, rig: Rig) -> None:
    for tool in ("dfu-util", "fastboot"):
        rig.program(tool, "")
        rig.hilcop("flash", dut, "--part", tool.removesuffix("-util"))
    write, *_, boot, _ = rig.calls()
    assert write[5:-2] == dfu
    assert boot[:2] == ["-s", fastboot]


def uploads(rig: Rig, content: str) -> None:
    """A dfu-util that reads `content`, an expression; `n` counts its calls from 1."""
    count = f"n = len(open({str(rig.folder / 'calls')!r}).readlines())"
    rig.program("dfu-util", f"{count}\npathlib.Path(a[a.index('--upload') + 1]).write_bytes({content})")


def test_a_dfu_dump_is_read_twice_and_reset_after_that(rig: Rig) -> None:
    uploads(rig, "b'firmware'")
    assert result_of(rig.hilcop("dump", "d", "--part", "dfu", "--out", "out.bin", "--json"))["verified_by"] == "second read, SHA-256"
    assert (rig.folder / "out.bin").read_bytes() == b"firmware"
    first, second = rig.calls()
    assert "--reset" not in first
    assert second[-1] == "--reset"


def test_a_dfu_dump_that_differs_the_second_time_is_none(rig: Rig) -> None:
    uploads(rig, "b'firmware%d' % n")
    done = rig.hilcop("dump", "d", "--part", "dfu", "--out", "out.bin")
    assert done.returncode == 3
    assert "two reads differ" in done.stderr, done.stderr
    assert not (rig.folder / "out.bin").exists()


def test_a_dfu_dump_that_is_not_to_be_verified_is_read_once(rig: Rig) -> None:
    uploads(rig, "b'firmware'")
    done = rig.hilcop("dump", "d", "--part", "once", "--out", "out.bin")
    assert done.returncode == 3
    assert "NOT VERIFIED: the board file says verify: false" in done.stdout
    assert [call[-1] for call in rig.calls()] == ["--reset"]


def test_openocd_is_not_started_while_it_could_take_any_adapter(rig: Rig) -> None:
    rig.program("openocd", "print('verified 100000 bytes in 0.1s (976.562 KiB/s)')")
    done = rig.hilcop("flash", "anonymous", "--part", "openocd")
    assert done.returncode == 2, done.stdout
    assert "flash_values: { serial: ... }" in done.stderr
    board = rig.folder / "board.yaml"
    board.write_text(board.read_text().replace("setup: ['adapter serial {serial}'], ", ""))
    done = rig.flash("openocd")
    assert done.returncode == 2, done.stdout
    assert "openocd would take any" in done.stderr
    assert rig.calls() == []


def test_openocd_must_say_that_it_verified(rig: Rig) -> None:
    rig.program("openocd", "")
    done = rig.flash("openocd")
    assert done.returncode == 3
    assert "openocd does not say that it verified" in done.stderr
    rig.program("openocd", "print('verified 0 bytes in 0.0s (0.000 KiB/s)')")
    assert "openocd does not say that it verified" in rig.flash("openocd").stderr
    rig.program("openocd", "print('verified 100000 bytes in 0.1s (976.562 KiB/s)')")
    assert result_of(rig.flash("openocd", "--json"))["verified_by"] == "openocd verify_image"
    image = "{" + str(rig.folder / "image.bin") + "} 0x8000000"
    commands = [
        "adapter serial S1",
        "init",
        "reset halt",
        f"flash write_image erase {image}",
        f"verify_image {image}",
        "reset run",
        "shutdown",
    ]
    assert rig.calls()[-1] == ["-f", "target/x.cfg", *(word for command in commands for word in ("-c", command))]


@pytest.mark.parametrize(("tool", "words"), [("dfu-util", ["--list"]), ("fastboot", ["--version"])])
def test_the_real_tools_are_there_and_know_our_options(tool: str, words: list[str]) -> None:
    said = subprocess.run([tool, "--help"], capture_output=True, text=True, timeout=20, check=False)
    text = said.stdout + said.stderr
    wanted = {
        "dfu-util": ["--wait", "--device", "--alt", "--path", "--serial", "--download", "--upload", "--upload-size", "--reset"],
        "fastboot": ["-s SERIAL", "flash PARTITION", "reboot"],
    }
    for option in wanted[tool]:
        assert option in text
    assert subprocess.run([tool, *words], capture_output=True, timeout=20, check=False).returncode == 0


def test_the_real_dfu_util_takes_our_arguments_and_waits_for_the_device(rig: Rig) -> None:
    done = rig.flash("dfu", "--timeout", "3")
    assert done.returncode == 3
    assert "Waiting for device" in done.stderr, done.stderr


# openocd's own means to be tried without hardware: a dummy adapter, the target type testee, the flash driver faux.
NO_HARDWARE = """
adapter driver dummy
jtag newtap x cpu -irlen 4
target create x.cpu testee -chain-position x.cpu
flash bank f faux 0x08000000 0x40000 0 0 x.cpu
"""


def real_openocd(rig: Rig, *more: str) -> subprocess.CompletedProcess[str]:
    (rig.folder / "none.cfg").write_text(NO_HARDWARE)
    board = (rig.folder / "board.yaml").read_text()
    board = board.replace("config: [target/x.cfg]", "any_adapter: true, config: [none.cfg]")
    board = board.replace("'adapter serial {serial}'", "'echo {dut}'")
    (rig.folder / "board.yaml").write_text(board)
    return rig.flash("openocd", "--timeout", "20", *more)


def test_the_real_openocd_writes_to_its_faux_flash_by_our_commands(rig: Rig) -> None:
    board = (rig.folder / "board.yaml").read_text().replace("name: openocd\n", "name: openocd\n    verify: false\n")
    (rig.folder / "board.yaml").write_text(board)
    done = real_openocd(rig, "--record", "record")
    assert done.returncode == 3, done.stderr
    assert "NOT VERIFIED: the board file says verify: false" in done.stdout
    program = next(event["data"] for event in rig.events("flash") if event["kind"] == "flash.program")
    assert re.search(r"wrote \d+ bytes from file", program["output"]), program["output"]


def test_the_real_openocd_says_that_its_testee_cannot_be_verified(rig: Rig) -> None:
    done = real_openocd(rig)
    assert done.returncode == 3
    assert "doesn't support checksum_memory" in done.stderr, done.stderr
