# SPDX-License-Identifier: Apache-2.0
"""lab-config/udev/60-hilcop.rules under a real udevd and kernel: a member of the group switches a hub's port without root."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import guest
import pytest
from kernel import kernel

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
BUILD = Path(os.environ["HILCOP_BUILD_DIR"])
GROUP = 4711
# The echo at the guest's serial lines is given up with the guest.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LIMIT_S = 360  # about 20 s on a machine that does nothing else

SCRIPT = """
dmesg -n 1
export SYSTEMD_IGNORE_CHROOT=1
udevadm settle
hub=$(basename $(dirname $(grep -l 0409 /sys/bus/usb/devices/*/idVendor | head -n 1)))
disable=/sys/bus/usb/devices/$hub:1.0/$hub-port3/disable
member="setpriv --reuid 65534 --regid 65534 --groups {group}"
node=/dev/$(udevadm info -q name -p $(readlink -f /sys/bus/usb/devices/$hub))
show() {{ stat -c "$1 %g %a" $disable; stat -c "$1-node %g %a" $node; }}
show before
$member sh -c "echo 1 >$disable" 2>/dev/null || echo "before refused"
(grep -v ^hilcop: /etc/group; echo hilcop:x:{group}:) >/run/group
mount --bind /run/group /etc/group
mkdir -p /run/udev/rules.d
cp {source}/lab-config/udev/60-hilcop.rules /run/udev/rules.d/
udevadm control --reload
udevadm trigger --action=add --subsystem-match=usb --subsystem-match=tty
udevadm settle
show after
# As if it was plugged in again: its ports are made anew.
echo $hub:1.0 >/sys/bus/usb/drivers/hub/unbind
echo $hub:1.0 >/sys/bus/usb/drivers/hub/bind
udevadm settle
show again
$member sh -c "echo 1 >$disable" && echo "off $(cat $disable)"
$member sh -c "echo 0 >$disable" && echo "on $(cat $disable)"
udevadm settle
echo "DISCOVER $($member {build}/bin/hilcop discover --json | tr -d '\\n')"
"""


@pytest.fixture(scope="module")
def ran() -> guest.Ran:
    made = kernel(SOURCE / "build" / "realusb")
    (BUILD / "realusb").mkdir(exist_ok=True)
    script = BUILD / "realusb" / "access.sh"  # not under /tmp or /run: those are the guest's own
    script.write_text(SCRIPT.format(build=BUILD, source=SOURCE, group=GROUP))
    with tempfile.TemporaryDirectory() as folder:
        return guest.run(made, script, Path(folder), LIMIT_S)


def test_without_the_rules_only_root_switches_a_port(ran: guest.Ran) -> None:
    assert ran.status == 0, ran.text()
    assert "before 0 644" in ran.lines, ran.text()
    assert "before refused" in ran.lines, ran.text()


def test_with_them_the_group_does_and_again_after_the_hub_came_anew(ran: guest.Ran) -> None:
    for line in ("after 4711 664", "after-node 4711 660", "again 4711 664", "off 1", "on 0"):
        assert line in ran.lines, ran.text()


def test_discover_shows_the_guests_devices(ran: guest.Ran) -> None:
    (line,) = [line for line in ran.lines if line.startswith("DISCOVER ")]
    found: dict[str, Any] = json.loads(line.removeprefix("DISCOVER "))
    adapters = {port["usb"]["serial"]: port for port in found["serial_ports"] if port["usb"]}
    assert {"FTDI0001", "FTDI0002"} <= set(adapters)
    adapter = adapters["FTDI0001"]
    assert adapter["driver"] == "ftdi_sio"
    assert adapter["usb"]["vid_pid"] == "0403:6001"
    assert any("FTDI0001" in link for link in adapter["by_id"])
    # Whichever group this distribution gives it: not ours, without the package acl.
    assert adapter["accessible"] or "sudo usermod -aG" in adapter["remedy"]
    (hub,) = [device for device in found["usb_devices"] if device["vid_pid"] == "0409:55aa"]
    assert hub["accessible"]
    assert hub["ports"]
    assert all(port["disable_writable"] for port in hub["ports"])
    assert {port["device"] for port in hub["ports"]} >= {adapter["usb"]["path"]}
