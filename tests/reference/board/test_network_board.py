# SPDX-License-Identifier: Apache-2.0
"""The reference device on a network of the bench's own: addresses, names, interception, outages, the capture."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hilcop
import pytest
from bench_file import write_bench
from hilcop.interception import Interception
from life import PASSWORD, WIFI
from machine import IMAGE, SOURCE, make_unit

sys.path.append(str(SOURCE / "boards/reference"))
from _network_tour import CLOUD, ask


class Unit:
    """One of them, on a bench that is open for all of this file, whose tests are its life."""

    def __init__(self, bench: hilcop.Bench, folder: Path, record: dict[str, Any]) -> None:
        self.dut, self.folder, self.record = bench.dut("unit"), folder, record
        self.network = self.dut.network
        self.tls: Interception = self.network.intercept(ca_file=IMAGE / "lab-ca/ca.crt", ca_key_file=IMAGE / "lab-ca/ca.key")

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = (self.folder / "run/timeline.ndjson").read_text().splitlines(keepends=True)
        return [event["data"] for line in lines if line.endswith("\n") and (event := json.loads(line))["kind"] == kind]

    def until(self, event: str, seconds: float = 30, **wanted: Any) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            found = [data for data in self.events(event) if all(data.get(key) == value for key, value in wanted.items())]
            if found:
                return found[-1]
            assert time.monotonic() < end, f"no {event} {wanted} in {seconds} s; there were\n{self.events(event)}"
            hilcop.wait_until(time.monotonic_ns() + 50_000_000)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return ask(self.network, method, path, body)

    def starts(self) -> int:
        """Returns when it began: steady clock."""
        self.dut.power.off()
        begin = time.monotonic_ns()
        self.dut.power.on()
        boot = self.dut.boot_to()
        assert boot.complete, boot.missing
        return begin


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    folder = tmp_path_factory.mktemp("network")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNTIME", "STATE"):
            patch.setenv(f"HILCOP_{name}_DIR", str(folder / name.lower()))
        record = make_unit(folder / "device")
        bench = write_bench(folder, folder / "device")
        with hilcop.open_bench(bench, boards_dir=IMAGE.parents[2] / "boards", record_dir=folder / "run") as opened:
            yield Unit(opened, folder, record)


def test_it_takes_an_address_and_the_bench_knows_it(unit: Unit) -> None:
    unit.starts()
    address = unit.network.address()
    assert address.startswith("10.77.0.")
    asked = unit.until("network.dhcp", kind="DISCOVER")
    assert asked["mac"] == unit.record["mac"]
    assert asked["host_name"] == "ht1"
    assert unit.network.status()["services"]["failures"] == []


def test_set_up_it_tells_its_maker_alone_what_it_has_to(unit: Unit) -> None:
    begin = time.monotonic_ns()
    secret = {"secret": unit.record["setup_secret"], "password": PASSWORD, "wifi": WIFI}
    assert unit.ask("POST", "/api/setup", secret)[0] == 201
    said = unit.tls.wait(server_name=CLOUD, since_ns=begin)
    assert (said.outcome, said.case) == ("sent_application_data", "sound"), said.cause  # the control
    assert "POST /v1/register" in said.data
    named = unit.until("network.dns", name=CLOUD, type="A")
    assert named["addresses"][0].startswith("198.18.")
    assert unit.network.name_of(named["addresses"][0]) == CLOUD


def test_what_it_was_told_at_set_up_it_tells_nobody_in_the_plain(unit: Unit) -> None:
    secrets = {"set-up secret": unit.record["setup_secret"], "password": PASSWORD, "wifi key": WIFI["key"]}
    before = unit.network.find_canaries(secrets)
    assert before.complete, before.limits
    assert before.findings == ()
    assert before.opaque_bytes > 0, "it was told of them, under TLS"
    # The control: the same words in the plain, on the same way, are found.
    plain = unit.network.connect(unit.network.address(), 443, timeout_s=30)
    with plain:
        body = json.dumps({"secret": unit.record["setup_secret"], "password": PASSWORD, "wifi": WIFI})
        plain.sendall(f"POST /api/setup HTTP/1.1\r\nHost: device\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(4096):
            pass  # an alert, and its end
    after = unit.network.find_canaries(secrets)
    assert {one.canary for one in after.findings} == set(secrets)
    assert {one.receiver for one in after.findings} == {f"{unit.network.address()}:443"}
    assert min(number for one in after.findings for number in one.frames) > before.frames
    assert after.complete, after.limits


def test_the_servers_that_it_wants_are_known_by_name(unit: Unit) -> None:
    report = unit.network.read()
    assert report.complete, report.limits
    cloud = report.destination(CLOUD)
    assert cloud, [one.name for one in report.destinations]
    assert (cloud.named_by, cloud.services, cloud.applications) == ("dns", ("443/tcp",), ("tls",))
    assert cloud.sent.payload_bytes > 0
    assert cloud.received.payload_bytes > 0
    assert CLOUD in {hello["sni"] for hello in report.observations["tls"]["client_hellos"]}
    # Whatever else it asks for is its maker's, too.
    named = {one.name for one in report.destinations if one.named_by}
    assert named == {name for name in named if name.endswith(".ht1.example")}
    assert "ht1" in {asked["host_name"] for asked in report.observations["dhcp"]}


def connects_in(unit: Unit) -> float:
    begin = time.monotonic()
    unit.network.connect(unit.network.address(), 443, timeout_s=30).close()
    return time.monotonic() - begin


def test_a_delay_is_seen_at_the_device(unit: Unit) -> None:
    assert connects_in(unit) < 5, "the control"
    unit.network.impair(delay_s=5, direction="to_device")
    assert connects_in(unit) >= 5
    unit.network.impair()
    assert connects_in(unit) < 5


def test_the_capture_has_all_of_it_and_lost_nothing(unit: Unit) -> None:
    figures = unit.network.sync_capture()
    assert figures["dropped"] == 0
    words = ["tshark", "-r", str(unit.network.capture_file), "-T", "fields"]
    fields = [*words, "-e", "dns.qry.name", "-e", "http.request.uri", "-e", "frame.comment"]
    said = subprocess.run(fields, check=True, timeout=60, capture_output=True, text=True).stdout
    assert CLOUD in said, "names"
    assert "/v1/register" in said, "what went through TLS, by the secrets that stand in the capture"
    assert "power.edge" in said, "what the bench did"


def test_the_device_alone_asks_for_a_router(unit: Unit) -> None:
    """The bench's gateway is one: what this host's kernel would ask there by itself is nothing of the device."""
    unit.network.sync_capture()
    words = ["tshark", "-r", str(unit.network.capture_file), "-Y", "icmpv6.type == 133", "-T", "fields", "-e", "eth.src"]
    said = subprocess.run(words, check=True, timeout=60, capture_output=True, text=True).stdout.split()
    assert set(said) == {unit.record["mac"]}


def net(command: str, bench: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HILCOP_HOME": str(IMAGE.parents[2])}
    program = [os.environ["HILCOP_PROGRAM"], "net", command, "unit", "--bench", str(bench), *words]
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def seen_from_elsewhere(bench: Path) -> dict[str, Any]:
    said, wrong = net("status", bench, "--json").communicate(timeout=60)
    assert said, wrong
    found: dict[str, Any] = json.loads(said)["duts"][0]
    return found


def test_how_it_is_can_be_seen_from_another_shell(unit: Unit) -> None:
    seen = seen_from_elsewhere(unit.folder / "bench.yaml")
    assert (seen["held_by"]["pid"], seen["network"]["owner"]) == (os.getpid(), os.getpid())
    status = seen["network"]["status"]
    assert status["services"]["leases"] == {unit.record["mac"]: unit.network.address()}
    assert status["captures"]["main"]["dropped"] == 0
    assert status["interception"]["accepted"] >= 1


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bench of another unit, for a command to have."""
    for name in ("RUNTIME", "STATE"):
        monkeypatch.setenv(f"HILCOP_{name}_DIR", str(tmp_path / name))
    make_unit(tmp_path / "device")
    return write_bench(tmp_path, tmp_path / "device")


def test_what_it_does_is_shown_as_it_happens(another: Path) -> None:
    trusted = ["--intercept", "--ca", str(IMAGE / "lab-ca/ca.crt"), "--ca-key", str(IMAGE / "lab-ca/ca.key")]
    with net("up", another, "--power", "--watch-ports", "22,443", *trusted) as up:
        try:
            assert up.stdout
            seen = ""
            dhcp = [r"dhcp +DISCOVER of .*'ht1'.*: OFFER 10", r"dhcp +REQUEST 10.*: ACK 10"]
            for wanted in (r"power +on", *dhcp, r"port +10\.77\.0\.\d+ port 443: open"):
                while not re.search(rf"^ +[0-9.]+  {wanted}", seen, re.MULTILINE):
                    assert select.select([up.stdout], [], [], 60)[0], seen
                    part = os.read(up.stdout.fileno(), 65536).decode()
                    assert part, seen
                    seen += part
            status = seen_from_elsewhere(another)
            assert status["network"]["owner"] == up.pid
            assert len(status["network"]["status"]["services"]["leases"]) == 1
            up.send_signal(signal.SIGINT)
            rest, _ = up.communicate(timeout=60)
            assert up.returncode == 0
            assert re.search(r"^  DHCP +[2-9] messages", rest.decode(), re.MULTILINE), rest
        finally:
            up.kill()
    assert seen_from_elsewhere(another)["network"] is None


def test_a_capture_is_whole_for_whoever_reads_it(another: Path, tmp_path: Path) -> None:
    capture, said = net("capture", another, "-w", "-", "--power", "--seconds", "8").communicate(timeout=90)
    (tmp_path / "read.pcapng").write_bytes(capture)
    words = ["tshark", "-r", str(tmp_path / "read.pcapng")]
    packets = subprocess.run(words, check=True, timeout=60, capture_output=True, text=True).stdout.splitlines()
    assert packets
    assert f"{len(packets)} packets, 0 dropped" in said.decode()


def test_a_capture_ends_when_nobody_reads_it_any_more(another: Path) -> None:
    with net("capture", another, "-w", "-") as running:  # its head is there before any packet
        try:
            assert running.stdout
            assert running.stdout.read(4) == b"\x0a\x0d\x0d\x0a"
            running.stdout.close()
            assert running.wait(60) == 0
        finally:
            running.kill()
