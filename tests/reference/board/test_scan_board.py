# SPDX-License-Identifier: Apache-2.0
"""The reference device's ports, asked by the bench: all of them, and again and again while it boots; and a unit with flaws beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import hilcop
import pytest
from bench_file import write_bench
from hilcop.scanning import PortWatch, WatchedPort
from machine import IMAGE, make_unit

DECLARED = 443  # boards/reference/declaration: no other port in any state
WATCHED = [22, 23, 80, 443, 1883, 2323, 8080]
OWN_UDP = 30303  # of the flaw


@dataclass
class Unit:
    dut: hilcop.Dut
    boot: PortWatch  # of its second start
    late_s: float  # that this host was meanwhile
    pid: int  # of its network


def networks() -> set[int]:
    """Of the benches that are open here, by their process."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if parent == os.getpid() and words[1:2] == [b"network"]:
            found.add(int(folder.name))
    return found


def still_open(watch: PortWatch) -> list[WatchedPort]:
    """What is not declared and was accepted in the last rounds, or never refused."""
    recent = time.monotonic_ns() - 1_000_000_000
    others = [port for port in watch.ports if port.port != DECLARED]
    return [port for port in others if port.last_open_ns and (port.last_open_ns > recent or port.answered == port.open)]


# In a process of its own, as the watch is: how much later than asked for it was woken at most.
BESIDE = """
import select, sys, time
late, begin = 0.0, time.monotonic()
while not select.select([sys.stdin], [], [], 0.02)[0]:
    now = time.monotonic()
    late, begin = max(late, now - begin - 0.02), now
print(late)
"""


def boots(dut: hilcop.Dut) -> tuple[PortWatch, float]:
    """It has taken an address before, so that its ports are asked from when it has power until the declared one is open, and no other is:
    what is open until the device is ready is closed a moment after. With it, how late this host was meanwhile.
    """
    dut.power.on()
    dut.network.address(timeout_s=60)
    dut.power.off()
    beside = subprocess.Popen([sys.executable, "-c", BESIDE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with beside:
        with dut.network.watch_ports(WATCHED) as watch:
            dut.power.on()
            boot = dut.boot_to()
            assert boot.complete, boot.missing
            end = time.monotonic() + 60
            while DECLARED not in watch.seen_open or still_open(watch):
                assert time.monotonic() < end, watch.ports
                hilcop.wait_until(time.monotonic_ns() + 100_000_000)
                watch.update()
        late = float(beside.communicate(timeout=20)[0])
    return watch, late


@contextmanager
def unit_with(folder: Path, *words: str) -> Iterator[Unit]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNTIME", "STATE"):
            patch.setenv(f"HILCOP_{name}_DIR", str(folder / name.lower()))
        make_unit(folder / "device", *words)
        bench = write_bench(folder, folder / "device", "flawed" if words else "sound")
        before = networks()
        with hilcop.open_bench(bench, boards_dir=IMAGE.parents[2] / "boards", record_dir=folder / "run") as opened:
            (pid,) = networks() - before
            dut = opened.dut("unit")
            yield Unit(dut, *boots(dut), pid)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    with unit_with(tmp_path_factory.mktemp("sound")) as unit:
        yield unit


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    with unit_with(tmp_path_factory.mktemp("flawed"), "--flaws", "telnet-during-boot,undeclared-udp") as unit:
        yield unit


def test_while_it_boots_only_what_is_declared_is_ever_open(sound: Unit) -> None:
    watch = sound.boot
    assert watch.failure is None
    assert watch.seen_open == {DECLARED}
    assert watch.longest_gap_s - sound.late_s < 2, "rounds of 0.2 s, on a host that has other work"
    refused = [port for port in watch.ports if port.port != DECLARED and port.answered]
    assert {port.port for port in refused} == set(WATCHED) - {DECLARED}, "the control: it was there, and said no"


def test_a_shell_that_is_open_for_a_moment_of_the_boot_is_seen(flawed: Unit) -> None:
    assert flawed.boot.seen_open == {DECLARED, 23}
    (port,) = [port for port in flawed.boot.ports if port.port == 23 and port.address.startswith("10.")]
    assert port.first_open_ns is not None
    assert port.last_open_ns is not None
    assert port.answered > port.open, "it is closed afterwards"


def test_of_all_its_ports_the_declared_one_alone_is_open(sound: Unit) -> None:
    scan = sound.dut.network.scan_tcp()
    assert scan.complete, scan.incomplete
    assert scan.open == (DECLARED,)
    assert scan.unconfirmed == ()
    assert scan.closed + scan.filtered_count == 65534
    assert scan.heartbeat.kind is not None
    assert scan.heartbeat.beats > 60
    print(scan)


def test_nmap_says_the_same(sound: Unit) -> None:
    address = sound.dut.network.address()
    ports = "1-1024,1883,2323,8080,8443,49152"
    own = os.readlink(f"/proc/{sound.pid}/ns/user") == os.readlink("/proc/self/ns/user")
    enter = ["nsenter", f"--target={sound.pid}", "--net", *([] if own else ["--user", "--preserve-credentials"])]
    words = ["nmap", "-sT", "-Pn", "-n", "-oX", "-", "-p", ports, address]
    said = subprocess.run([*enter, *words], check=True, capture_output=True, text=True, timeout=120).stdout
    found = ElementTree.fromstring(said).iterfind("./host/ports/port")
    assert [int(port.get("portid", 0)) for port in found if port.find("state[@state='open']") is not None] == [DECLARED]


def test_what_stands_behind_it_is_tls_of_today(sound: Unit) -> None:
    service = sound.dut.network.identify_services([DECLARED]).at(DECLARED)
    assert service is not None
    assert (service.state, service.tunnel, service.probed) == ("open", "ssl", True)
    tls = sound.dut.network.survey_tls(DECLARED)
    assert set(tls.versions) <= {"TLS 1.2", "TLS 1.3"}
    assert tls.versions
    assert tls.ciphers
    assert not tls.heartbleed
    with pytest.raises(hilcop.ProtocolError, match="Could not open a connection"):
        sound.dut.network.survey_tls(80)
    with pytest.raises(hilcop.ProtocolError, match="ssh-audit"):
        sound.dut.network.survey_ssh(22)
    with pytest.raises(hilcop.TimeoutError, match="nmap"):
        sound.dut.network.identify_services([DECLARED], timeout_s=0.5)


def test_over_ipv6_it_is_the_same_device(sound: Unit) -> None:
    own = next(port.address for port in sound.boot.ports if port.address.startswith("fe80::"))
    scan = sound.dut.network.scan_tcp(address=own, ports=[*WATCHED, *range(9000, 9050)])
    assert scan.complete, scan.incomplete
    assert set(scan.open) <= {DECLARED}


def test_udp_is_told_by_answers_alone(sound: Unit, flawed: Unit) -> None:
    question = {"own": (OWN_UDP, b"who are you?")}
    assert sound.dut.network.scan_udp(payloads=question).answered == ()
    (answer,) = flawed.dut.network.scan_udp(payloads=question).answered
    assert (answer.service, answer.from_port) == ("own", OWN_UDP)
    assert answer.answer.startswith(b"HT-1 ")


def test_the_command_tells_the_same_and_refuses_what_is_no_port(tmp_path: Path) -> None:
    make_unit(tmp_path / "device")
    environment = {**os.environ, **{f"HILCOP_{name}_DIR": str(tmp_path / name) for name in ("RUNTIME", "STATE")}}
    environment["HILCOP_HOME"] = str(IMAGE.parents[2])
    program = [os.environ["HILCOP_PROGRAM"], "scan", "unit", "--bench", str(write_bench(tmp_path, tmp_path / "device"))]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*program, *words], check=False, env=environment, capture_output=True, text=True, timeout=120)

    wrong = run("--ports", "22,80-70")
    assert (wrong.returncode, "'80-70' ends before it begins" in wrong.stderr) == (2, True), wrong.stderr
    said = run("--power", "--ports", "22,23,440-450", "--no-udp")
    assert said.returncode == 0, said.stderr
    assert re.search(r"TCP of 10\.77\.0\.\d+: 1 open, 12 closed, 0 filtered, 0 not known", said.stdout), said.stdout


def test_of_nobody_nothing_is_known(sound: Unit) -> None:
    scan = sound.dut.network.scan_tcp(address="10.77.0.99", ports=[80, 443])
    assert not scan.complete
    assert scan.open == ()
