# SPDX-License-Identifier: Apache-2.0
"""What udev itself makes of lab-config/udev/60-hilcop.rules, for devices in a /sys of the test's own (in a mount namespace)."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from private_mounts import private_mounts

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
# In a user namespace only one group is there.
GROUP = 4711 if os.geteuid() == 0 else 0
BUS = Path("devices/pci0000:00/0000:00:14.0/usb1")

SCRIPT = """set -e
mkdir -p /etc/udev/rules.d
show() {{ mount --bind "$1" "$2"; shown="$2 $shown"; }}
trap 'for place in $shown; do umount "$place"; done' EXIT
show {root}/group /etc/group
show {root}/rules /etc/udev/rules.d
show {root}/dev /dev
show {root}/sys /sys
udevadm test --action={action} /sys/{device} >{root}/out 2>&1
sed -n "s/^run: '\\(.*\\)'$/\\1/p" {root}/out | grep -v systemd >{root}/commands || true
if [ -n "{run}" ]; then sh -e {root}/commands; fi
"""


@dataclass
class Outcome:
    group: int | None
    mode: str | None
    properties: dict[str, str]
    commands: list[str]


class Host:
    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("sys/bus/usb/devices", "sys/class", "rules", "dev"):
            (root / folder).mkdir(parents=True)
        (root / "rules/60-hilcop.rules").write_text((SOURCE / "lab-config/udev/60-hilcop.rules").read_text())
        groups = [line for line in Path("/etc/group").read_text().splitlines() if not line.startswith("hilcop:")]
        (root / "group").write_text("\n".join([*groups, f"hilcop:x:{GROUP}:", ""]))

    def add(self, path: Path, subsystem: str, uevent: str, driver: str = "", **attributes: str) -> str:
        directory = self.root / "sys" / path
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "uevent").write_text("".join(f"{word}\n" for word in uevent.split()))
        for name, value in attributes.items():
            (directory / name).write_text(value + "\n")
        kind = "bus" if subsystem in ("usb", "gpio", "usb-serial") else "class"
        (self.root / "sys" / kind / subsystem / "drivers").mkdir(parents=True, exist_ok=True)
        (directory / "subsystem").symlink_to(Path(os.path.relpath(self.root / "sys" / kind / subsystem, directory)))
        if driver:
            (self.root / "sys" / kind / subsystem / "drivers" / driver).mkdir(exist_ok=True)
            (directory / "driver").symlink_to(Path(os.path.relpath(self.root / "sys" / kind / subsystem / "drivers" / driver, directory)))
        return str(path)

    def usb(self, path: str = "1-1", **attributes: str) -> str:
        return self.add(
            BUS / path,
            "usb",
            "MAJOR=189 MINOR=3 DEVNAME=bus/usb/001/004 DEVTYPE=usb_device DRIVER=usb BUSNUM=001 DEVNUM=004",
            "usb",
            **{"busnum": "1", "devnum": "4", "bDeviceClass": "00", **attributes},
        )

    def judge(self, device: str, action: str = "add", run: bool = False) -> Outcome:
        script = SCRIPT.format(root=shlex.quote(str(self.root)), device=device, action=action, run="yes" if run else "")
        done = subprocess.run(
            [*private_mounts(), "sh", "-c", script],
            env={**os.environ, "SYSTEMD_DEVICE_VERIFY_SYSFS": "0"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        out = (self.root / "out").read_text() if (self.root / "out").exists() else ""
        assert done.returncode == 0, done.stdout + done.stderr + out
        assert "60-hilcop.rules" in out
        # udev tells of a line that it does not take, and goes on without it.
        assert not re.search(r"60-hilcop\.rules:\d+ (Invalid|Unknown|Failed|The line)", out), out
        own = [line for line in out.splitlines() if "60-hilcop.rules:" in line]
        groups = [int(found[1]) for line in own if (found := re.search(r" GROUP (\d+)$", line))]
        modes = [found[1] for line in own if (found := re.search(r" MODE (\d+)$", line))]
        properties = dict(line.split("=", 1) for line in out.splitlines() if re.match(r"[A-Z_]+=", line))
        return Outcome(
            groups[-1] if groups else None, modes[-1] if modes else None, properties, (self.root / "commands").read_text().splitlines()
        )


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_relay_board_belongs_to_the_group(host: Host) -> None:
    relay = host.judge(host.usb(idVendor="16c0", idProduct="05df", product="USBRelay2", manufacturer="www.dcttech.com"))
    assert (relay.group, relay.mode) == (GROUP, "0660")


def test_what_only_shares_the_relays_numbers_does_not(host: Host) -> None:
    other = host.judge(host.usb(idVendor="16c0", idProduct="05df", product="Gamepad"))
    assert other.group is None


def test_a_stick_and_an_unknown_device_are_nobody_elses(host: Host) -> None:
    assert host.judge(host.usb(idVendor="0781", idProduct="5581", product="Ultra")).group is None
    disk = host.add(BUS / "1-1/1-1:1.0/host0/block/sda", "block", "MAJOR=8 MINOR=0 DEVNAME=sda DEVTYPE=disk")
    assert host.judge(disk).group is None


def test_a_hub_and_the_switches_of_its_ports_belong_to_the_group(host: Host) -> None:
    hub = host.judge(host.usb(idVendor="0409", idProduct="55aa", bDeviceClass="09"))
    assert (hub.group, hub.mode) == (GROUP, "0660")
    interface = BUS / "1-1/1-1:1.0"
    host.add(interface, "usb", "DEVTYPE=usb_interface DRIVER=hub INTERFACE=9/0/0", "hub", bInterfaceClass="09")
    for number in (1, 2):
        port = host.root / "sys" / interface / f"1-1-port{number}"
        port.mkdir()
        (port / "disable").write_text("0\n")
        (port / "disable").chmod(0o644)
    host.judge(str(interface), "bind", run=True)
    for number in (1, 2):
        info = (host.root / "sys" / interface / f"1-1-port{number}/disable").stat()
        assert (info.st_gid, info.st_mode & 0o777) == (GROUP if os.geteuid() == 0 else os.getgid(), 0o664)


def test_a_hub_of_an_older_kernel_runs_nothing_that_fails(host: Host) -> None:
    host.usb(idVendor="0409", idProduct="55aa", bDeviceClass="09")
    interface = host.add(BUS / "1-1/1-1:1.0", "usb", "DEVTYPE=usb_interface DRIVER=hub INTERFACE=9/0/0", "hub")
    host.judge(interface, "bind", run=True)


def serial_adapter(host: Host, vendor: str, name: str = "ttyUSB0") -> str:
    host.usb(idVendor=vendor, idProduct="7523")
    host.add(BUS / "1-1/1-1:1.0", "usb", "DEVTYPE=usb_interface INTERFACE=255/1/2", bInterfaceNumber="00")
    return host.add(BUS / f"1-1/1-1:1.0/tty/{name}", "tty", f"MAJOR=188 MINOR=0 DEVNAME={name}")


@pytest.mark.parametrize("name", ["ttyUSB0", "ttyACM12"])
def test_a_serial_adapter_stays_dialouts_and_is_the_groups_too(host: Host, name: str) -> None:
    port = host.judge(serial_adapter(host, "1a86", name))
    assert port.group is None
    assert port.commands == [f"/usr/bin/setfacl -m g:hilcop:rw /dev/{name}"]


def test_modem_manager_leaves_adapters_alone(host: Host) -> None:
    assert host.judge(serial_adapter(host, "0403")).properties["ID_MM_PORT_IGNORE"] == "1"
    assert host.judge(host.usb("1-2", idVendor="0403", idProduct="6001")).properties["ID_MM_DEVICE_IGNORE"] == "1"
    modem = host.usb("1-3", idVendor="1199", idProduct="9071")
    assert "ID_MM_DEVICE_IGNORE" not in host.judge(modem).properties


def test_the_hosts_own_uart_is_left_as_it_is(host: Host) -> None:
    uart = host.judge(host.add(Path("devices/platform/serial8250/tty/ttyS0"), "tty", "MAJOR=4 MINOR=64 DEVNAME=ttyS0"))
    assert uart.group is None
    assert uart.commands == []
    assert "ID_MM_PORT_IGNORE" not in uart.properties


def test_gpio_chips_and_sd_muxes_belong_to_the_group(host: Host) -> None:
    chip = host.judge(host.add(Path("devices/platform/gpio/gpiochip0"), "gpio", "MAJOR=254 MINOR=0 DEVNAME=gpiochip0"))
    assert (chip.group, chip.mode) == (GROUP, "0660")
    host.usb(idVendor="0424", idProduct="4041", manufacturer="Pengutronix", product="usb-sd-mux_rev1", serial="00012.34567")
    mux = host.add(BUS / "1-1/1-1:1.0/host0/scsi_generic/sg1", "scsi_generic", "MAJOR=21 MINOR=1 DEVNAME=sg1")
    assert (host.judge(mux).group, host.judge(mux).mode) == (GROUP, "0660")
    reader = host.add(Path("devices/pci0000:00/ata1/host1/scsi_generic/sg2"), "scsi_generic", "MAJOR=21 MINOR=2 DEVNAME=sg2")
    assert host.judge(reader).group is None


def test_nothing_happens_on_removal(host: Host) -> None:
    device = host.usb(idVendor="16c0", idProduct="05df", product="USBRelay2")
    assert host.judge(device, "remove").group is None
