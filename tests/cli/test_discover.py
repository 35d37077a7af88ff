# SPDX-License-Identifier: Apache-2.0
"""`hilcop discover`: what a host shows of itself becomes a bench that `hilcop check` takes, whatever devices call themselves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


def hilcop(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "r"), "HILCOP_STATE_DIR": str(folder / "s"), "HILCOP_HOME": str(SOURCE)}
    environment.pop("HILCOP_BENCH", None)
    return subprocess.run(
        [PROGRAM, *words], cwd=folder, env={**environment, **more}, capture_output=True, text=True, timeout=60, check=False
    )


class Host:
    """A /sys and a /dev with what a bench host has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.usb_root = root / "sys/devices/pci0000:00/usb1"
        for folder in ("sys/bus/usb/devices", "sys/class/tty", "sys/class/net", "dev/serial/by-id", "dev/serial/by-path"):
            (root / folder).mkdir(parents=True)

    def usb(self, path: str, **attributes: str) -> Path:
        device = self.usb_root / path
        device.mkdir(parents=True)
        for name, value in {"busnum": "1", "devnum": "5", "bDeviceClass": "00", "speed": "12", **attributes}.items():
            (device / name).write_text(value + "\n")
        (self.root / "sys/bus/usb/devices" / path).symlink_to(device)
        return device

    def adapter(self, name: str, path: str, by_id: str = "", **attributes: str) -> None:
        tty = self.usb(path, **attributes) / f"{path}:1.0/{name}/tty/{name}"
        tty.mkdir(parents=True)
        (tty / "device").symlink_to(tty.parent.parent)
        (tty.parent.parent.parent / "bInterfaceNumber").write_text("00\n")
        (self.root / "sys/class/tty" / name).symlink_to(tty)
        (self.root / "dev" / name).symlink_to("/dev/null")
        if by_id:
            (self.root / "dev/serial/by-id" / by_id).symlink_to(f"../../{name}")
        (self.root / "dev/serial/by-path" / f"pci-usb-0:{path}:1.0-port0").symlink_to(f"../../{name}")

    def discover(self, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return hilcop("discover", "--root", str(self.root), *words, folder=folder)

    def json(self, folder: Path) -> Any:
        done = self.discover("--json", folder=folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "host")


FTDI = {"idVendor": "0403", "idProduct": "6001", "manufacturer": "FTDI", "product": "FT232R", "serial": "A1B2"}


def objects(port: Any, driver: str) -> list[Any]:
    return [one for one in port["objects"] if one["driver"] == driver]


def test_a_console_adapter_is_named_by_its_serial_number(host: Host, tmp_path: Path) -> None:
    host.adapter("ttyUSB0", "1-1", "usb-FTDI_FT232R_A1B2-if00-port0", **FTDI)
    (port,) = host.json(tmp_path)["serial_ports"]
    assert port["usb"]["serial"] == "A1B2"
    assert port["usb"]["path"] == "1-1"
    assert port["accessible"]
    (console,) = objects(port, "serial")
    assert console["config"]["port"] == str(host.root / "dev/serial/by-id/usb-FTDI_FT232R_A1B2-if00-port0")
    assert console["name"] == "console"


def test_clones_with_one_serial_number_are_named_by_their_place(host: Host, tmp_path: Path) -> None:
    clone = {"idVendor": "10c4", "idProduct": "ea60", "serial": "0001"}
    # udev's link by the number leads to one of them, whichever came last.
    host.adapter("ttyUSB0", "1-1", **clone)
    host.adapter("ttyUSB1", "1-2", "usb-Silicon_Labs_0001-if00-port0", **clone)
    ports = host.json(tmp_path)["serial_ports"]
    consoles = [objects(port, "serial")[0] for port in ports]
    assert [Path(one["config"]["port"]).name for one in consoles] == ["pci-usb-0:1-1:1.0-port0", "pci-usb-0:1-2:1.0-port0"]
    assert [one["name"] for one in consoles] == ["console-1", "console-2"]
    assert all("another adapter has the same identity" in one["note"] for one in consoles)


def test_what_is_written_is_a_bench_that_check_takes(host: Host, tmp_path: Path) -> None:
    host.adapter("ttyUSB0", "1-1", "usb-FTDI_FT232R_A1B2-if00-port0", **FTDI)
    host.adapter("ttyACM0", "1-2", idVendor="0d28", idProduct="0204", product="micro:bit")
    host.usb("1-3", idVendor="16c0", idProduct="05df", product="USBRelay2", manufacturer="www.dcttech.com")
    host.usb("1-4", idVendor="0409", idProduct="55aa", bDeviceClass="09")
    done = host.discover("--write", "desk.yaml", "--bench-name", "my desk", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "desk.yaml").read_text()
    assert 'bench: "my desk"' in text
    assert "driver: serial" in text
    assert "duts: {}" in text
    assert "board: NAME" in text
    checked = hilcop("check", "desk.yaml", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr + text
    # Its comments for a DUT become one that check takes, once somebody says which board it is.
    head, tail = text.split("duts: {}\n")
    dut = "\n".join(line.removeprefix("# ") for line in tail.splitlines()[1:])
    (tmp_path / "lamp.yaml").write_text("board: lamp\n")
    (tmp_path / "full.yaml").write_text(head + dut.replace("NAME", "lamp.yaml", 1) + "\n")
    checked = hilcop("check", "full.yaml", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr + dut


def test_every_object_that_any_driver_offers_is_one_that_check_takes(host: Host, tmp_path: Path) -> None:
    host.adapter("ttyUSB0", "1-1", "usb-FTDI_FT232R_A1B2-if00-port0", **FTDI)
    host.adapter("ttyUSB1", "1-2", idVendor="1a86", idProduct="7523", product="USB Serial")
    host.adapter("ttyACM0", "1-3", idVendor="2a19", idProduct="0c02", product="Numato Lab 2 Channel USB Relay Module", serial="N1")
    host.usb("1-4", idVendor="16c0", idProduct="05df", product="USBRelay2", manufacturer="www.dcttech.com")
    hub = host.usb("97-5", idVendor="0409", idProduct="55aa", bDeviceClass="09") / "97-5:1.0"  # no bus of this host: check would ask it
    (hub / "97-5-port1").mkdir(parents=True)
    (hub / "bInterfaceNumber").write_text("00\n")
    stick = host.usb("1-6", idVendor="0781", idProduct="5581", serial="S1") / "1-6:1.0"
    stick.mkdir()
    for name, value in {"bInterfaceNumber": "00", "bInterfaceClass": "08", "bInterfaceSubClass": "06", "bInterfaceProtocol": "50"}.items():
        (stick / name).write_text(value + "\n")
    chip = host.root / "sys/devices/platform/gpio/gpiochip0"
    chip.mkdir(parents=True)
    (host.root / "sys/bus/gpio/devices").mkdir(parents=True)
    (host.root / "sys/bus/gpio/devices/gpiochip0").symlink_to(chip)
    (host.root / "dev/gpiochip0").symlink_to("/dev/null")
    assert host.discover("--write", "desk.yaml", folder=tmp_path).returncode == 0
    text = (tmp_path / "desk.yaml").read_text()
    assert "channel: '0'" not in text  # hilcop counts a board's relays from 1, whatever the board calls them
    lines = [line.strip().removeprefix("# ") for line in text.splitlines() if ": { driver: " in line]
    offered = sum(len(one["objects"]) for kind in host.json(tmp_path).values() for one in kind)
    assert len(lines) == offered >= 3
    (tmp_path / "all.yaml").write_text("bench: all\ninstruments:\n" + "".join(f"  {line}\n" for line in lines) + "duts: {}\n")
    checked = hilcop("check", "all.yaml", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr + text
    known = host.discover("--bench", "all.yaml", "--json", folder=tmp_path)
    assert {one["name"]: one["state"] for one in json.loads(known.stdout)["instruments"]} == {line.split(":")[0]: "there" for line in lines}


def test_a_bench_of_nothing_is_one_too(host: Host, tmp_path: Path) -> None:
    assert host.discover("--write", "empty.yaml", folder=tmp_path).returncode == 0
    checked = hilcop("check", "empty.yaml", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr


def test_a_file_that_is_there_stays_unless_forced(host: Host, tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text("mine\n")
    done = host.discover("--write", "desk.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert (tmp_path / "desk.yaml").read_text() == "mine\n"
    assert host.discover("--write", "desk.yaml", "--force", folder=tmp_path).returncode == 0
    assert (tmp_path / "desk.yaml").read_text().startswith("# SPDX")
    assert not (tmp_path / "desk.yaml.new").exists()


@pytest.mark.parametrize(
    "product",
    [
        "\x1b]0;owned\x07\x1b[2J",
        "x\r  relay: { driver: serial }",
        "a\x0b\x0c\x85b",
        "\x9b31m",
        "# : { } [ ] , & * ! | > ' \" % @ `",
        "\udcff\udcfe",
        "é中",
    ],
)
def test_a_device_cannot_speak_to_the_terminal_or_into_the_file(product: str, host: Host, tmp_path: Path) -> None:
    adapter = {"idVendor": "0403", "idProduct": "6001", "serial": "A"}
    host.adapter("ttyUSB0", "1-1", "usb-x-if00-port0", **adapter)
    (host.usb_root / "1-1/product").write_bytes(product.encode("utf-8", "surrogateescape") + b"\n")
    words = [PROGRAM, "discover", "--root", str(host.root)]
    shown = subprocess.run(words, capture_output=True, timeout=60, check=True).stdout
    assert not any(byte < 0x20 and byte != 0x0A for byte in shown)
    assert b"\xc2\x9b" not in shown
    assert host.json(tmp_path)["serial_ports"]
    assert host.discover("--write", "x.yaml", folder=tmp_path).returncode == 0
    checked = hilcop("check", "x.yaml", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr


def test_no_access_says_what_gives_it(host: Host, tmp_path: Path) -> None:
    host.adapter("ttyUSB0", "1-1", **FTDI)
    (host.root / "dev/ttyUSB0").unlink()
    (port,) = host.json(tmp_path)["serial_ports"]
    assert not port["accessible"]
    assert port["problem"]
    assert port["remedy"]
    assert "no: " + port["remedy"] in host.discover(folder=tmp_path).stdout
    assert host.discover("--write", "x.yaml", folder=tmp_path).returncode == 0
    assert "to get access: " + port["remedy"] in (tmp_path / "x.yaml").read_text()


def test_the_hosts_own_console_is_offered_as_a_comment_alone(host: Host, tmp_path: Path) -> None:
    tty = host.root / "sys/devices/pnp0/00:04/tty/ttyS0"
    tty.mkdir(parents=True)
    (tty / "device").symlink_to(tty.parent.parent)
    (tty / "type").write_text("4\n")
    (host.root / "sys/class/tty/ttyS0").symlink_to(tty)
    (host.root / "sys/class/tty/console").mkdir()
    (host.root / "sys/class/tty/console/active").write_text("tty0 ttyS0\n")
    assert host.discover("--write", "x.yaml", folder=tmp_path).returncode == 0
    lines = (tmp_path / "x.yaml").read_text().splitlines()
    assert not [line for line in lines if "driver: serial" in line and not line.strip().startswith("#")]
    assert [line for line in lines if "the console of this host itself" in line]


def test_which_instruments_of_a_bench_are_there(host: Host, tmp_path: Path) -> None:
    host.adapter("ttyUSB0", "1-1", "usb-FTDI_FT232R_A1B2-if00-port0", **FTDI)
    here = host.root / "dev/serial/by-id/usb-FTDI_FT232R_A1B2-if00-port0"
    (tmp_path / "bench.yaml").write_text(
        "bench: b\ninstruments:\n"
        f"  one: {{ driver: serial, port: '{here}' }}\n"
        f"  two: {{ driver: serial, port: '{host.root}/dev/ttyUSB7' }}\n"
        "  far: { driver: modbus-relay, host: 192.0.2.1 }\nduts: {}\n"
    )
    done = host.discover("--bench", "bench.yaml", "--json", folder=tmp_path)
    assert done.returncode == 3, "one is missing"
    states = {one["name"]: one["state"] for one in json.loads(done.stdout)["instruments"]}
    assert states == {"one": "there", "two": "missing", "far": "not looked for"}
    shown = host.discover("--bench", "bench.yaml", folder=tmp_path)
    assert "missing" in shown.stdout


def test_on_this_very_host_it_opens_nothing_and_starts_no_keeper(tmp_path: Path) -> None:
    done = hilcop("discover", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"serial_ports", "usb_devices", "gpio_chips", "network_interfaces"} <= set(json.loads(done.stdout))
    assert not (tmp_path / "r/keeper.sock").exists()
    assert "modbus-relay" in hilcop("discover", folder=tmp_path).stdout.rsplit("Not to be found", 1)[1]
