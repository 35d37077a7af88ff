# SPDX-License-Identifier: Apache-2.0
"""hilcop flash and dump as a person runs them, by programs of this host; tools of others are stood in for where there is no device."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

BENCH = """
bench: b
instruments: {}
duts:
  d: { board: board.yaml, serial_number: S1, flash_values: { place: PLACE } }
  anonymous: { board: board.yaml, flash_values: { place: PLACE } }
"""

BOARD = """
board: b
flash:
  - { name: copy, image: image.bin, command: { run: [cp, '{file}', '{place}'], read_back: [cp, '{place}', '{output}'] } }
  - { name: blind, image: image.bin, command: { run: [cp, '{file}', '{place}'] } }
  - { name: unwanted, image: image.bin, verify: false, command: { run: [cp, '{file}', '{place}'], read_back: ['false'] } }
  - { name: liar, image: image.bin, command: { run: ['true'], read_back: [cp, other.bin, '{output}'] } }
  - { name: short, image: image.bin, command: { run: ['true'], read_back: [sh, -c, 'head -c 1000 image.bin > {output}'] } }
  - { name: fails, image: image.bin, command: { run: [sh, -c, 'echo no such chip >&2; exit 3'] } }
  - { name: hangs, image: image.bin, command: { run: [sh, -c, 'echo 10%; sleep 60 & sleep 60'] } }
  - { name: none, image: image.bin, command: { run: [no-such-program] } }
  - { name: percent, image: image.bin, command: { run: [sh, -c, 'for i in 5 50 100; do echo $i%; sleep 0.4; done'] } }
  - { name: braces, image: image.bin, command: { run: [sh, -c, 'test {{x}} = "{{x}}" && cp {file} {place}'] } }
  - { name: dfu, image: image.bin, dfu: { device: '0483:df11', alt: fw } }
  - { name: fastboot, image: image.bin, fastboot: { partition: boot } }
  - name: openocd
    image: image.bin
    openocd: { config: [target/x.cfg], setup: ['adapter serial {serial}'], after: [reset run], address: 0x8000000 }
dump:
  - { name: copy, command: { run: [cp, '{place}', '{output}'] } }
  - { name: moving, command: { run: [sh, -c, 'date +%N > {output}'] } }
  - { name: dfu, dfu: { device: '0483:df11', alt: fw } }
  - { name: openocd, openocd: { address: 0x8000000, length_bytes: 4096 } }
"""


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / "place"
        (folder / "bench.yaml").write_text(BENCH.replace("PLACE", str(self.place)))
        (folder / "board.yaml").write_text(BOARD)
        self.image = bytes(i * 7 & 255 for i in range(100_000))
        (folder / "image.bin").write_bytes(self.image)
        (folder / "other.bin").write_bytes(self.image[:5000] + b"x" + self.image[5001:])
        self.environment = {
            **os.environ,
            "HILCOP_RUNTIME_DIR": str(folder / "r"),
            "HILCOP_STATE_DIR": str(folder / "s"),
            "HILCOP_HOME": str(SOURCE),
            "HILCOP_BENCH": str(folder / "bench.yaml"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }
        (folder / "bin").mkdir()

    def program(self, name: str, body: str) -> None:
        """Stands in for a tool: notes its arguments in `calls`, then does what `body` says."""
        file = self.folder / "bin" / name
        file.write_text(
            f"#!{sys.executable}\nimport json, pathlib, sys\na = sys.argv[1:]\n"
            f"with open({str(self.folder / 'calls')!r}, 'a') as f: f.write(json.dumps(a) + chr(10))\n{body}\n"
        )
        file.chmod(0o755)

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def hilcop(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def flash(self, part: str, *more: str) -> subprocess.CompletedProcess[str]:
        return self.hilcop("flash", "d", "--part", part, *more)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


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
    done = rig.flash("hangs", "--timeout", "1", "--record", "record")
    assert time.monotonic() - began < 20
    assert done.returncode == 3
    assert "not done in time" in done.stderr, done.stderr
    assert alive(str(rig.folder / "r")) == []
    events = [json.loads(line) for line in (rig.folder / "record/timeline/flash.ndjson").read_text().splitlines()]
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
        (["flash", "nobody"], "choose one of: anonymous, d"),
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


def test_openocd_must_say_that_it_verified(rig: Rig) -> None:
    rig.program("openocd", "")
    done = rig.flash("openocd")
    assert done.returncode == 3
    assert "openocd does not say that it verified" in done.stderr
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
    board = board.replace("config: [target/x.cfg]", "config: [none.cfg]").replace("'adapter serial {serial}'", "'echo {dut}'")
    (rig.folder / "board.yaml").write_text(board)
    return rig.flash("openocd", "--timeout", "20", *more)


def test_the_real_openocd_writes_to_its_faux_flash_by_our_commands(rig: Rig) -> None:
    board = (rig.folder / "board.yaml").read_text().replace("name: openocd\n", "name: openocd\n    verify: false\n")
    (rig.folder / "board.yaml").write_text(board)
    done = real_openocd(rig, "--record", "record")
    assert done.returncode == 3, done.stderr
    assert "NOT VERIFIED: the board file says verify: false" in done.stdout
    events = [json.loads(line) for line in (rig.folder / "record/timeline/flash.ndjson").read_text().splitlines()]
    program = next(event["data"] for event in events if event["kind"] == "flash.program")
    assert re.search(r"wrote \d+ bytes from file", program["output"]), program["output"]


def test_the_real_openocd_says_that_its_testee_cannot_be_verified(rig: Rig) -> None:
    done = real_openocd(rig)
    assert done.returncode == 3
    assert "doesn't support checksum_memory" in done.stderr, done.stderr


def test_completion_offers_the_parts_of_the_dut(rig: Rig) -> None:
    said = rig.hilcop("complete", "flash", "d", "--part", "d").stdout
    assert said.splitlines() == ["dfu\tdfu"]
    assert "openocd\topenocd" in rig.hilcop("complete", "dump", "d", "--part", "").stdout
    assert "d\tb" in rig.hilcop("complete", "dump", "").stdout


@pytest.mark.parametrize(
    ("board", "says"),
    [
        ("flash: [{ name: a }]", "'a' says no route: give one of storage, uboot"),
        ("flash: [{ name: a, storage: {}, dfu: { device: '1:2', alt: x } }]", "'a' has the route 'storage' already"),
        ("flash: [{ name: a, storage: {} }, { name: a, storage: {} }]", "two parts are named 'a'"),
        ("flash: [{ name: a, command: { run: [] } }]", "is empty"),
        ("flash: [{ name: a, command: { run: ['{what}'] } }]", "wants a value for {what}"),
        ("flash: [{ name: a, uboot: { address: 0, memory_bytes: 1, load: tftp } }]", "wants a value for {tftp_dir}"),
        ("flash: [{ name: a, uboot: { address: 0 } }]", "'memory_bytes' is missing"),
        ("flash: [{ name: a, uboot: { address: 0, memory_bytes: 1, read: [x] } }]", "there is no `write:` that it could verify"),
        ("dump: [{ name: a, fastboot: { partition: x } }]", "fastboot"),
        ("flash: [{ name: a, power: sometimes, storage: {} }]", "none of its choices"),
    ],
)
def test_check_finds_what_is_wrong_with_a_flash_list(board: str, says: str, rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text(f"board: b\n{board}\n")
    done = rig.hilcop("check", "bench.yaml")
    assert done.returncode == 2, done.stdout
    assert says in done.stderr, done.stderr


def test_check_refuses_a_storage_that_is_none_or_is_given_twice(rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text("board: b\n")
    (rig.folder / "bench.yaml").write_text(
        "bench: b\ninstruments:\n  relay: { driver: modbus-relay, host: h }\n"
        "  card: { driver: usb-storage, usb_path: 1-1, serial: S, max_bytes: 1000000 }\n"
        "duts:\n  a: { board: board.yaml, storage: { main: { instrument: card, mux: { instrument: relay, channel: 1 } } } }\n"
        "  b: { board: board.yaml, storage: { main: { instrument: card }, x: { instrument: relay }, y: { instrument: crad } } }\n"
    )
    done = rig.hilcop("check", "bench.yaml")
    assert done.returncode == 2
    assert "duts.b.storage.main.instrument: 'card' is already duts.a.storage.main" in done.stderr, done.stderr
    assert "'relay' (driver modbus-relay) is no storage" in done.stderr
    assert "'crad' is no instrument of this bench (did you mean 'card'?)" in done.stderr


def test_a_disk_that_is_not_there_is_said_with_what_is(rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text("board: b\nflash: [{ name: card, image: image.bin, storage: {} }]\n")
    (rig.folder / "bench.yaml").write_text(
        "bench: b\ninstruments: { card: { driver: usb-storage, usb_path: 9-9.9, serial: S, max_bytes: 1000000 } }\n"
        "duts: { d: { board: board.yaml, storage: { main: { instrument: card, appear_s: 0.2 } } } }\n"
    )
    done = rig.hilcop("flash", "d")
    assert done.returncode == 3
    assert "there is no USB device at 9-9.9" in done.stderr
    assert "USB disks of this host: " in done.stderr


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


def test_list_says_who_has_a_storage(rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text("board: b\nflash: [{ name: card, image: image.bin, storage: {} }]\n")
    (rig.folder / "bench.yaml").write_text(
        "bench: b\ninstruments: { card: { driver: usb-storage, usb_path: 9-9.9, serial: S, max_bytes: 1000000 } }\n"
        "duts: { d: { board: board.yaml, storage: { main: { instrument: card, appear_s: 30 } } } }\n"
    )
    card = {"name": "card", "driver": "usb-storage", "identity": "usb-storage:9-9.9/S", "channels": [], "held_by": None}
    assert json.loads(rig.hilcop("list", "--json").stdout)["instruments"] == [card]
    process = subprocess.Popen([PROGRAM, "flash", "d"], cwd=rig.folder, env=rig.environment, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 20
    while (held := json.loads(rig.hilcop("list", "--json").stdout)["instruments"][0]["held_by"]) is None and time.monotonic() < end:
        pass
    assert held["pid"] == process.pid
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130
