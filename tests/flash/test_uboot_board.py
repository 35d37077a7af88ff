# SPDX-License-Identifier: Apache-2.0
"""hilcop flash and dump through the real U-Boot of boards/qemu-arm64: over its console, and by TFTP from QEMU's own server."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
BUILD = Path(os.environ["HILCOP_BUILD_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]
IMAGES = BUILD.parent / "boards/qemu-arm64"

# Without the environment flash: U-Boot waits 2 s for a key, and boots nothing that is not there.
BOARD = """
board: uboot
boot_stages: [{{ name: boot-loader, pattern: 'U-Boot 20', deadline_s: 20 }}]
flash:
  - name: memory
    power: cycle
    uboot: {{ address: 0x44000000, memory_bytes: 0x1000000 }}
  - name: disk
    power: cycle
    uboot:
      address: 0x44000000
      memory_bytes: 0x1000000
      setup: [virtio scan]
      write: ['virtio write {{address}} 0x10 {{blocks}}']
      read: ['virtio read {{address}} 0x10 {{blocks}}']
  - name: xmodem
    power: cycle
    uboot: {{ address: 0x44000000, memory_bytes: 0x1000000, load: xmodem, write: ['true'] }}
  - name: tftp
    power: cycle
    uboot:
      address: 0x44000000
      memory_bytes: 0x1000000
      load: tftp
      setup: [setenv autoload no, dhcp]
      write: ['virtio scan', 'virtio write {{address}} 0x10 {{blocks}}']
      read: ['virtio read {{address}} 0x10 {{blocks}}']
  - name: reads-nothing
    power: cycle
    uboot:
      address: 0x44000000
      memory_bytes: 0x1000000
      write: ['true']
      read: ['true']
  - name: bad-command
    power: cycle
    uboot: {{ address: 0x44000000, memory_bytes: 0x1000000, write: ['virtio write {{address}} 0xffffffff 8'] }}
  - name: no-sha
    power: cycle
    uboot: {{ address: 0x44000000, memory_bytes: 0x1000000, checksum: sha256 }}
dump:
  - name: disk
    power: cycle
    uboot: {{ address: 0x44000000, length_bytes: 8192, setup: [virtio scan], read: ['virtio read {{address}} 0x10 {{blocks}}'] }}
  - name: unverified
    power: cycle
    verify: false
    uboot: {{ address: 0x44000000, length_bytes: 4096 }}
machine:
  driver: qemu-machine
  arguments: [-M, 'virt,acpi=off', -cpu, cortex-a53, -m, '256', -smp, '1', -nodefaults,
    -netdev, 'user,id=n,restrict=on,tftp={tftp}', -device, 'virtio-net-device,netdev=n']
  dtb: {images}/control.dtb
  flash: [{images}/u-boot.img]
  disks: [{{ name: main, file: disk.raw }}]
  consoles: [{{ channel: console }}]
"""

BENCH = """
bench: uboot
instruments: { machine: { driver: qemu-machine, board: board.yaml } }
duts:
  d:
    board: board.yaml
    power: { instrument: machine, channel: power }
    consoles: { main: { instrument: machine, channel: console } }
    flash_values: { tftp_dir: TFTP }
"""


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tftp").mkdir()
        with open(folder / "disk.raw", "wb") as disk:
            disk.truncate(1 << 20)
        (folder / "board.yaml").write_text(BOARD.format(images=IMAGES, tftp=folder / "tftp"))
        (folder / "bench.yaml").write_text(BENCH.replace("TFTP", str(folder / "tftp")))
        self.image = random.Random(7).randbytes(20_001)
        (folder / "image.bin").write_bytes(self.image)

        self.environment = {
            **os.environ,
            "HILCOP_RUNTIME_DIR": str(folder / "r"),
            "HILCOP_STATE_DIR": str(folder / "s"),
            "HILCOP_HOME": str(SOURCE),
        }

    def hilcop(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words, "-b", "bench.yaml"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def flash(self, part: str, *more: str) -> subprocess.CompletedProcess[str]:
        return self.hilcop("flash", "d", "--image", "image.bin", "--part", part, *more)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return Rig(tmp_path_factory.mktemp("uboot"))


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


def test_an_image_is_loaded_over_the_console_and_proved_by_uboot(rig: Rig) -> None:
    done = rig.flash("memory", "--json", "--record", "record")
    result = result_of(done)
    assert result["bytes"] == len(rig.image)
    assert result["sha256"] == hashlib.sha256(rig.image).hexdigest()
    assert result["verified_by"] == "crc32 by U-Boot, in memory"
    assert "load: " in done.stderr
    events = [json.loads(line) for line in (rig.folder / "record/timeline/flash.ndjson").read_text().splitlines()]
    kinds = [event["kind"] for event in events]
    assert kinds.index("flash.begin") < kinds.index("power.edge") < kinds.index("flash.end")
    assert b"Ready for binary (ymodem)" in (rig.folder / "record/console/d-main.raw").read_bytes()


def test_what_is_written_to_the_disk_is_read_back(rig: Rig) -> None:
    result = result_of(rig.flash("disk", "--json"))
    assert result["verified_by"] == "crc32 by U-Boot, read back"


def test_what_was_not_read_back_is_not_called_verified(rig: Rig) -> None:
    done = rig.flash("xmodem")
    assert done.returncode == 3, done.stderr
    assert "NOT VERIFIED: the board file says no `read:` for it" in done.stdout


def test_tftp_from_qemus_own_server(rig: Rig) -> None:
    result = result_of(rig.flash("tftp", "--json"))
    assert result["verified_by"] == "crc32 by U-Boot, read back"
    assert list((rig.folder / "tftp").iterdir()) == [], "the copy is gone"


def test_a_read_that_does_nothing_is_no_verification(rig: Rig) -> None:
    done = rig.flash("reads-nothing")
    assert done.returncode == 3
    assert "read back: U-Boot reckons crc32" in done.stderr, done.stderr


def test_a_command_that_fails_is_told_with_what_uboot_said(rig: Rig) -> None:
    done = rig.flash("bad-command")
    assert done.returncode == 3
    assert "'virtio write 0x44000000 0xffffffff 8' failed with status 1" in done.stderr, done.stderr


def test_a_checksum_that_this_uboot_has_not_is_an_error(rig: Rig) -> None:
    done = rig.flash("no-sha")
    assert done.returncode == 3
    assert "'hash sha256 0x44000000 0x4e21' failed" in done.stderr, done.stderr
    assert "Unknown command 'hash'" in done.stderr


def test_the_disk_is_dumped_over_the_console(rig: Rig) -> None:
    done = rig.hilcop("dump", "d", "--out", "out.bin", "--json")
    result = result_of(done)
    assert result["verified_by"] == "crc32 by U-Boot"
    content = (rig.folder / "out.bin").read_bytes()
    assert len(content) == 8192
    assert result["sha256"] == hashlib.sha256(content).hexdigest()
    # Each session of the machine works on a copy of its disk, which is empty.
    assert content == bytes(8192)


def test_a_dump_that_is_not_to_be_verified_asks_for_no_checksum(rig: Rig) -> None:
    done = rig.hilcop("dump", "d", "--part", "unverified", "--out", "unverified.bin", "--record", "dumped")
    assert done.returncode == 3, done.stderr
    assert "NOT VERIFIED: the board file says verify: false" in done.stdout
    assert (rig.folder / "unverified.bin").stat().st_size == 4096
    assert b"crc32" not in (rig.folder / "dumped/console/d-main.raw").read_bytes()


def test_an_image_that_is_too_large_is_refused_before_the_board_is_powered(rig: Rig) -> None:
    with open(rig.folder / "large.bin", "wb") as large:
        large.truncate(0x1000001)
    done = rig.hilcop("flash", "d", "--image", "large.bin", "--part", "memory")
    assert done.returncode == 2
    assert "`memory_bytes:` allows 16777216" in done.stderr, done.stderr


def test_a_time_limit_ends_it_with_what_was_done(rig: Rig) -> None:
    (rig.folder / "long.bin").write_bytes(random.Random(8).randbytes(8 << 20))
    done = rig.hilcop("flash", "d", "--image", "long.bin", "--part", "memory", "--timeout", "4")
    assert done.returncode == 3
    assert "in time" in done.stderr, done.stderr  # a busy host may not even come to the transfer


def test_ctrl_c_in_the_middle_leaves_the_board_without_power(rig: Rig) -> None:
    words = [PROGRAM, "flash", "d", "-b", "bench.yaml", "--image", "long.bin", "--part", "memory"]
    (rig.folder / "long.bin").write_bytes(random.Random(8).randbytes(8 << 20))
    process = subprocess.Popen(words, cwd=rig.folder, env=rig.environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for line in process.stderr:
        if line.startswith("load: "):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    dut = json.loads(rig.hilcop("list", "--json").stdout)["duts"][0]
    assert dut["power"]["state"] == "off"
    assert dut["held_by"] is None
