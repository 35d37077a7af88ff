# SPDX-License-Identifier: Apache-2.0
"""`hilcop net`: what a device does on the network of a bench, as whoever has it up and whoever looks at it is shown it. The device is this
test, at the other end of the cable, and says what no sound device does."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

BENCH = """
bench: {name}
instruments:
  machine-{name}: {{ driver: qemu-machine, arguments: [-M, virt], network: [{{ channel: network }}] }}
duts:
  lamp:
    board: plain.yaml
    power: {{ instrument: machine-{name}, channel: power }}
    network: {{ instrument: machine-{name}, channel: network }}
  brick: {{ board: plain.yaml }}
"""

MAC, BROADCAST = bytes.fromhex("525400000001"), b"\xff" * 6
HOSTILE = "\x1b[31mred\x1b]0;title\x07\x9b\x7f"


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(source: str, target: str, ports: tuple[int, int], payload: bytes, mac: bytes = BROADCAST) -> bytes:
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 1, 0, 64, 17, 0)
    head = head[:10] + struct.pack("!H", checksum(head + ends)) + ends
    return mac + MAC + b"\x08\x00" + head + struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload


def dhcp(kind: int, host_name: bytes, wish: str = "") -> bytes:
    options = bytes([53, 1, kind, 12, len(host_name)]) + host_name
    if wish:
        options += bytes([50, 4]) + socket.inet_aton(wish) + bytes([54, 4]) + socket.inet_aton("10.77.0.1")
    fixed = struct.pack("!BBBBIHH16s16s192x", 1, 1, 6, 0, 7, 0, 0x8000, bytes(16), MAC)
    return udp("0.0.0.0", "255.255.255.255", (68, 67), fixed + b"\x63\x82\x53\x63" + options + b"\xff")


def dns(name: bytes, gateway: bytes, number: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part for part in name.split(b"."))
    question = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)
    return udp("10.77.0.50", "10.77.0.1", (4000, 53), question, gateway)


class Device:
    """What is plugged into a network's cable."""

    def __init__(self, cable: Path) -> None:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.line.settimeout(20)
        self.line.connect(str(cable))
        self.received = b""
        self.gateway, self.address = BROADCAST, ""

    def say(self, frame: bytes) -> None:
        self.line.sendall(struct.pack("!I", len(frame)) + frame)

    def takes_an_address(self, host_name: bytes) -> None:
        for kind in (1, 3):
            self.say(dhcp(kind, host_name, self.address if kind == 3 else ""))
            answer = self.until(lambda frame: frame[12:14] == b"\x08\x00" and frame[36:38] == b"\x00\x44")
            self.gateway, self.address = answer[6:12], socket.inet_ntoa(answer[58:62])

    def until(self, wanted: Callable[[bytes], bool]) -> bytes:
        while True:
            while len(self.received) < 4 or len(self.received) < 4 + struct.unpack("!I", self.received[:4])[0]:
                part = self.line.recv(65536)
                assert part, "it was unplugged"
                self.received += part
            size = struct.unpack("!I", self.received[:4])[0]
            frame, self.received = self.received[4 : 4 + size], self.received[4 + size :]
            if wanted(frame):
                return frame


class Room:
    """Benches and commands with one runtime directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        places = {f"HILCOP_{what}_DIR": str(folder / what) for what in ("RUNTIME", "STATE")}
        self.environment = {**os.environ, **places, "HILCOP_HOME": str(SOURCE)}
        self.environment.pop("NO_COLOR", None)
        (folder / "plain.yaml").write_text("board: plain\n")
        for name in ("left", "right"):
            (folder / f"{name}.yaml").write_text(BENCH.format(name=name))
        self.running: list[subprocess.Popen[str]] = []
        self.devices: list[Device] = []

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = [PROGRAM, "net", *words]
        return subprocess.run(program, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def up(self, *words: str, bench: str = "left", **how: Any) -> subprocess.Popen[str]:
        program = [PROGRAM, "net", "up", "lamp", "-b", f"{bench}.yaml", *words]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        started = subprocess.Popen(program, cwd=self.folder, env=self.environment, text=True, **pipes)
        self.running.append(started)
        assert started.stderr
        assert started.stderr.readline() == "the network of lamp is up: Ctrl-C ends it\n"
        return started

    def cable(self, owner: subprocess.Popen[str]) -> Path:
        return self.folder / f"RUNTIME/net-{owner.pid}-0-0"

    def device(self, owner: subprocess.Popen[str]) -> Device:
        self.devices.append(Device(self.cable(owner)))
        return self.devices[-1]

    def doors(self) -> list[Path]:
        return list((self.folder / "RUNTIME").glob("*.door"))

    def status(self, *words: str, bench: str = "left") -> Any:
        said = self.run("status", "-b", f"{bench}.yaml", "--json", *words)
        return json.loads(said.stdout)["duts"][0]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    for device in made.devices:
        device.line.close()
    for process in made.running:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[str], wanted: str, seen: str = "") -> str:
    """Up to the first line that has it, or all: it ends."""
    assert process.stdout
    end = time.monotonic() + 30
    while wanted not in seen:
        assert select.select([process.stdout], [], [], max(0, end - time.monotonic()))[0], seen
        part = os.read(process.stdout.fileno(), 65536).decode()
        assert part, seen
        seen += part
    return seen


def test_what_a_device_does_is_shown_as_it_happens_and_none_of_it_reaches_the_terminal(room: Room) -> None:
    up = room.up()
    device = room.device(up)
    device.takes_an_address(HOSTILE.encode("latin-1"))
    seen = line_of(up, "ACK 10.77.0.")
    device.say(dns(b"cloud.example", device.gateway))
    seen = line_of(up, "cloud.example A: A 198.18.", seen)
    device.say(dns(b"\x1b[2Jclear.example\n0 ntp", device.gateway))
    seen = line_of(up, "2Jclear", seen)
    up.send_signal(signal.SIGINT)
    rest, said = up.communicate(timeout=30)
    text = seen + rest
    assert up.returncode == 0, said
    assert re.search(r"^ +\d+\.\d{3}  up +gateway 10\.77\.0\.1/24, fd77::1/64$", text, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d{3}  dhcp +DISCOVER of 52:54:00:00:00:01, .*red.*: OFFER 10\.77\.0\.\d+ for \d+ s$", text, re.MULTILINE)
    assert set(re.findall(r"[^\n -~]", text)) == set(), "nothing but printable ASCII"
    assert all(re.match(r" +\d+\.\d{3}  \w| {2}\w|in |$", line) for line in text.splitlines()), text
    summary = text.partition("\nin ")[2]
    assert re.search(r"^  lease +10\.77\.0\.\d+ of 52:54:00:00:00:01$", summary, re.MULTILINE)
    assert re.search(r"^  DHCP +2 messages, 2 answers$", summary, re.MULTILINE)
    assert re.search(r"^  DNS +2 questions", summary, re.MULTILINE)
    assert room.doors() == []


def test_at_a_terminal_the_only_escapes_are_its_own_colours(room: Room) -> None:
    ours, theirs = pty.openpty()
    up = room.up("--intercept", stdout=theirs)
    os.close(theirs)
    device = room.device(up)
    device.takes_an_address(HOSTILE.encode("latin-1"))
    seen = b""
    while b"ACK 10.77.0." not in seen:
        assert select.select([ours], [], [], 30)[0]
        seen += os.read(ours, 65536)
    up.send_signal(signal.SIGTERM)
    assert up.wait(30) == 0
    os.close(ours)
    assert b"\x1b[2m" in seen
    plain = re.sub(rb"\x1b\[(0|1|2|31)m", b"", seen)
    assert set(re.findall(rb"[^\r\n -~]", plain)) == set(), plain


def test_for_programs_each_event_is_a_line_of_json(room: Room) -> None:
    up = room.up("--json", "--intercept", "--case", "self_signed", "--watch-ports", "80,443", "-w", "all.pcapng")
    text = line_of(up, "watch_ports.start")  # the last that is asked for before a device has power
    device = room.device(up)
    device.takes_an_address(HOSTILE.encode("latin-1"))
    device.say(dns(b"cloud.example", device.gateway))
    for wanted in ("network.link", "network.dhcp", "network.dns"):
        text = line_of(up, wanted, text)
    up.send_signal(signal.SIGINT)
    rest, said = up.communicate(timeout=30)
    text += rest
    assert up.returncode == 0, said
    events = [json.loads(line) for line in text.splitlines()]
    kinds = [event["kind"] for event in events]
    assert (kinds[0], kinds[-1]) == ("network.open", "network.close")
    assert {"network.dhcp", "network.dns", "network.link", "network.change"} <= set(kinds)
    assert [event["data"]["what"] for event in events if event["kind"] == "network.change"] == [
        "capture.start",
        "intercept.start",
        "watch_ports.start",
    ]
    assert all(event["source"].startswith("lamp/") and event["steady_ns"] > 0 for event in events)
    assert events[-1]["data"]["captures"]["live"]["packets"] > 2
    assert (room.folder / "all.pcapng").stat().st_size > 500


def test_it_ends_by_itself_after_its_seconds(room: Room) -> None:
    up = room.up("--json", "--seconds", "0.5")
    text, said = up.communicate(timeout=30)
    assert up.returncode == 0, said
    events = [json.loads(line) for line in text.splitlines()]
    assert (events[0]["kind"], events[-1]["kind"]) == ("network.open", "network.close")
    assert events[-1]["steady_ns"] - events[0]["steady_ns"] >= 0.5e9


def test_who_has_a_network_up_and_how_it_is_can_be_seen_from_elsewhere(room: Room) -> None:
    left, right = room.up(), room.up(bench="right")
    device = room.device(left)
    device.takes_an_address(b"ht1")
    line_of(left, "ACK 10.77.0.")
    text = room.run("status", "lamp", "-b", "left.yaml")
    assert text.returncode == 0, text.stderr
    assert re.search(rf"^  held by +dut lamp \(hilcop net up\), pid {left.pid}, since 20", text.stdout, re.MULTILINE), text.stdout
    assert re.search(r"^  lease +10\.77\.0\.\d+ of 52:54:00:00:00:01$", text.stdout, re.MULTILINE)
    one, other = room.status(), room.status("lamp", bench="right")
    assert (one["held_by"]["pid"], one["network"]["owner"], one["network"]["bench"]) == (left.pid, left.pid, "left")
    assert (other["network"]["owner"], other["network"]["status"]["services"]["leases"]) == (right.pid, {})
    assert one["network"]["status"]["services"]["leases"] == {"52:54:00:00:00:01": device.address}
    assert one["network"]["status"]["address"] == "10.77.0.1/24"


def test_nobody_has_it_up(room: Room) -> None:
    said = room.run("status", "-b", "left.yaml")
    assert (said.returncode, said.stdout) == (3, "lamp: nobody has its network up: `hilcop net up lamp` does\n")
    assert room.status() == {"dut": "lamp", "held_by": None, "network": None}
    wrong = room.run("status", "shed", "-b", "left.yaml")
    assert (wrong.returncode, "choose one of: brick, lamp" in wrong.stderr) == (2, True), wrong.stderr


def test_of_a_killed_command_nothing_is_left(room: Room) -> None:
    up = room.up()
    network = room.status()["network"]["pid"]
    os.kill(network, signal.SIGSTOP)  # it cannot clean up any more
    assert "does not say how it is" in room.run("status", "-b", "left.yaml").stderr
    up.kill()
    up.wait(30)
    end = time.monotonic() + 30
    while room.run("status", "-b", "left.yaml").stdout != "lamp: nobody has its network up: `hilcop net up lamp` does\n" or room.doors():
        assert time.monotonic() < end, room.doors()


def test_a_network_that_dies_ends_it_with_an_error(room: Room) -> None:
    up = room.up()
    os.kill(room.status()["network"]["pid"], signal.SIGKILL)
    _, said = up.communicate(timeout=30)
    assert up.returncode == 3
    assert "its process has ended: killed by SIGKILL" in said
    assert room.doors() == []


@pytest.mark.parametrize("reader", ["sleeps", "leaves"])
def test_a_reader_that_takes_nothing_holds_up_neither_the_network_nor_its_end(room: Room, reader: str) -> None:
    up = room.up()
    device = room.device(up)
    device.takes_an_address(b"ht1")
    if reader == "leaves":
        assert up.stdout
        up.stdout.close()
    lines, end = 0, time.monotonic() + 30
    while up.poll() is None and lines < 1000:  # 100 kB, and a pipe has 64 KiB
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended
            for number in range(100):
                device.say(dns(b"a%d.of-a-name-that-is-long-enough-to-fill-a-pipe.example" % number, device.gateway, number))
        network = room.status()["network"]
        lines = network["status"]["services"]["dns"]["queries"] if network else lines
        assert time.monotonic() < end
    if reader == "sleeps":
        up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0
    if reader == "leaves":
        up.stdout = None  # closed


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["up", "lamp", "--case", "expired"], 2, "--case requires --intercept"),
        (["up", "lamp", "--intercept", "--case", "odd"], 2, "self_signed"),
        (["up", "lamp", "--intercept", "--ca", "x"], 2, "--ca requires --ca-key"),
        (["up", "lamp", "--intercept", "--ca", "none.pem", "--ca-key", "none.pem"], 2, "none.pem: cannot be read"),
        (["up", "lamp", "--intercept", "--ca", "plain.yaml", "--ca-key", "plain.yaml"], 2, "CA"),
        (["up", "lamp", "--watch-ports", "80-70"], 2, "'80-70' ends before it begins"),
        (["up", "shed"], 2, "choose one of: brick, lamp"),
        (["up", "brick"], 3, "network"),
        (["up", "lamp", "-w", "plain.yaml"], 3, "plain.yaml"),
        (["up"], 2, "DUT is required"),
        ([], 2, "A subcommand is required"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(room: Room, words: list[str], status: int, says: str) -> None:
    said = room.run(*words, *(["-b", "left.yaml"] if words else []))
    assert (said.returncode, says in said.stderr + said.stdout) == (status, True), said
    assert room.doors() == []


@pytest.mark.parametrize("command", ["capture", "scan"])
def test_capture_and_scan_are_the_same_at_both_places(room: Room, command: str) -> None:
    long = room.run(command, "--help").stdout
    short = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert long.replace(f"hilcop net {command}", f"hilcop {command}") == short
