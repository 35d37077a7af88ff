# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel, real USB drivers and controllers: the project's own test program runs in a guest, in place."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import guest
import pytest
from kernel import kernel

BUILD = Path(os.environ["HILCOP_BUILD_DIR"])
LIMIT_S = 360  # about 45 s on a machine that does nothing else

# InstrumentContract.*: of the whole driver table, in contract_test.
SCRIPT = """
dmesg -n 1
export HILCOP_PROGRAM={build}/bin/hilcop
{build}/tests/realusb/realusb_test --gtest_color=no --gtest_filter='-InstrumentContract.*'
status=$?
[ $status = 0 ] || dmesg | tail -n 100
exit $status
"""


@pytest.fixture(scope="module")
def ran() -> guest.Ran:
    made = kernel(Path(os.environ["HILCOP_SOURCE_DIR"]) / "build" / "realusb")
    (BUILD / "realusb").mkdir(exist_ok=True)
    script = BUILD / "realusb" / "run.sh"  # not under /tmp or /run: those are the guest's own
    script.write_text(SCRIPT.format(build=BUILD))
    with tempfile.TemporaryDirectory() as folder:
        return guest.run(made, script, Path(folder), LIMIT_S)


def test_everything_passes_on_a_real_kernel(ran: guest.Ran) -> None:
    assert ran.status == 0, ran.text()


SUITES = [
    "RealHub",
    "RealHidRelay",
    "RealSerial",
    "RealBenchTest",
    "RealUsbWatch",
    "RealUsbCaptureTest",
    "Drivers/InstrumentContractTest",
    "Drivers/KeeperContractTest",
]


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_was_run_and_nothing_of_it_was_skipped(ran: guest.Ran, suite: str) -> None:
    begun = re.findall(rf"^\[ RUN      \] {suite}\.(\S+)", ran.text(), re.MULTILINE)
    ended = re.findall(rf"^\[       OK \] {suite}\.(\S+)", ran.text(), re.MULTILINE)
    assert begun, f"{suite} was not run\n{ran.text()}"
    assert ended == begun, ran.text()


def test_tshark_reads_the_same_in_a_capture_of_usb(ran: guest.Ran, tmp_path: Path) -> None:
    lines = re.findall(r"^CAPTURE talk ([0-9a-f]+)$", ran.text(), re.MULTILINE)
    assert lines, ran.text()
    file = tmp_path / "talk.pcapng"
    file.write_bytes(bytes.fromhex("".join(lines)))
    fields = (
        "frame.interface_name",
        "usb.device_address",
        "usb.urb_type",
        "usb.transfer_type",
        "usb.capdata",
        "_ws.malformed",
    )
    words = [word for field in fields for word in ("-e", field)]
    said = subprocess.run(["tshark", "-r", file, "-T", "fields", *words], capture_output=True, text=True, timeout=60, check=True)
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    assert {row[0] for row in rows} == {"usbmon0"}
    assert len({row[1] for row in rows}) == 1, "the devices of others are in it"
    text = b"said-by-the-talker".hex()
    of_bulk = [row for row in rows if row[3] == "0x03"]
    for kind in ("'S'", "'C'"):
        assert any(row[2] == kind and text in row[4].replace(":", "") for row in of_bulk), rows
    assert not any(row[5] for row in rows), "malformed"
