# SPDX-License-Identifier: Apache-2.0
"""Four units of one image on one network at once: each is itself, and none needs another."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from life import set_up
from machine import Machine, make_unit
from network import Network

COUNT = 4
READY = "HT-1: READY "


def process_of(machine: Machine) -> int:
    """QEMU itself, which `timeout` started."""
    assert machine.process
    parent = machine.process.pid
    [child] = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(child)


def peak_mib(machine: Machine) -> float:
    status = Path(f"/proc/{process_of(machine)}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, status
    return int(found[1]) / 1024


def all_ready(machines: list[Machine], seconds: float) -> list[float]:
    """How long after its power came each said so. All are listened to in turn: none is late because another was waited for."""
    times: dict[int, float] = {}
    end = time.monotonic() + seconds
    while len(times) < len(machines):
        for number, machine in enumerate(machines):
            if number not in times:
                machine.hear(0.02)
                if READY in machine.console:
                    times[number] = time.monotonic() - machine.began
        silent = [machine.console for number, machine in enumerate(machines) if number not in times]
        assert time.monotonic() < end, f"not ready in {seconds} s, of {len(machines)}: {silent}"
    return [times[number] for number in range(len(machines))]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[list[Machine]]:
    folder = tmp_path_factory.mktemp("four")
    machines = []
    for number in range(COUNT):
        make_unit(folder / f"unit{number}")
        machines.append(Machine(folder / f"unit{number}", network.tap()))
    try:
        yield machines
    finally:
        for machine in machines:
            machine.close()


def neighbours(network: Network) -> dict[str, str]:
    """Who has which address, by MAC, as DHCP gave them."""
    rows = [line.split() for line in (network.folder / "leases").read_text().splitlines()]
    return {row[1]: row[2] for row in rows}


def test_four_units_start_at_once_and_each_is_itself(four: list[Machine], network: Network) -> None:
    for machine in four:
        machine.on()
    times = all_ready(four, 150)
    for machine in four:
        machine.ready()
    print(f"\nREADY after {', '.join(f'{seconds:.1f}' for seconds in times)} s")
    assert len({machine.host for machine in four}) == COUNT, "addresses"
    assert len({machine.record["serial"] for machine in four}) == COUNT
    assert len({machine.record["mac"] for machine in four}) == COUNT
    leases = neighbours(network)
    # Who answers there is who was made with that MAC and, as ask() sees, with that certificate.
    for machine in four:
        assert leases[machine.record["mac"]] == machine.host
        assert machine.ask("GET", "/api/info")[1] == {"model": "HT-1", "setup": "open"}
    shown = [x509.load_pem_x509_certificate(ssl.get_server_certificate((machine.host, 443)).encode()) for machine in four]
    assert len({one.fingerprint(hashes.SHA256()) for one in shown}) == COUNT, "certificates"
    assert len({one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for one in shown}) == COUNT, "keys"


def test_the_secret_of_one_label_sets_up_no_other(four: list[Machine]) -> None:
    first, *others = four
    assert len({machine.record["setup_secret"] for machine in four}) == COUNT
    for machine in others:
        body = {"secret": first.record["setup_secret"], "password": "warm and cosy 1"}
        assert machine.ask("POST", "/api/setup", body)[0] == 403
        assert machine.ask("GET", "/api/info")[1]["setup"] == "open"
    tokens = {machine.host: set_up(machine, auto_update=False) for machine in four}
    assert len(set(tokens.values())) == COUNT
    for machine in others:
        assert machine.ask("GET", "/api/state", token=tokens[machine.host])[0] == 200
        assert machine.ask("GET", "/api/state", token=tokens[first.host])[0] == 401


def test_one_that_is_off_leaves_the_others_alone(four: list[Machine]) -> None:
    gone, *others = four
    peaks = [peak_mib(machine) for machine in four]
    print(f"\npeak of QEMU: {', '.join(f'{peak:.0f}' for peak in peaks)} MiB, {sum(peaks):.0f} MiB together")
    assert all(50 < peak < 1024 for peak in peaks), "what a bench of many has to have for each"
    heard = {machine.host: len(machine.console) for machine in others}
    gone.off()
    with pytest.raises(OSError):
        socket.create_connection((gone.host, 443), 5)
    for machine in others:
        assert machine.ask("GET", "/api/info")[1] == {"model": "HT-1", "setup": "done"}
        machine.listen(0.2)
        assert READY not in machine.console[heard[machine.host] :], "it started anew"
    gone.on()
    gone.ready(seconds=120)
    assert gone.ask("GET", "/api/info")[1] == {"model": "HT-1", "setup": "done"}
    for machine in others:
        assert machine.ask("GET", "/api/info")[1] == {"model": "HT-1", "setup": "done"}
