# SPDX-License-Identifier: Apache-2.0
"""Two units of the reference device on one network of the bench's: each has its own port, wire and capture, all else is everybody's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import hilcop
import pytest
from hilcop.network import Network
from machine import IMAGE, make_unit

BENCH = """
bench: shared
instruments:
{machines}
duts:
{units}
"""
MACHINE = """  machine-{name}:
    driver: qemu-machine
    board: reference
    dtb: {unit}/control.dtb
    disks: [{{ name: main, file: {unit}/main.raw }}, {{ name: fuses, file: {unit}/fuses.raw, read_only: true }}]
"""
UNIT = """  {name}:
    board: reference
    power: {{ instrument: machine-{name}, channel: power }}
    consoles: {{ main: {{ instrument: machine-{name}, channel: console }} }}
    network: {{ instrument: machine-{name}, channel: network }}
"""


def listens(network: Network, address: str) -> bool:
    try:
        network.connect(address, 443, timeout_s=2).close()
    except (hilcop.Error, OSError):
        return False
    return True


def test_two_units_share_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNTIME", "STATE"):
        monkeypatch.setenv(f"HILCOP_{name}_DIR", str(tmp_path / name.lower()))
    names = ("one", "two")
    for number, name in enumerate(names):
        make_unit(tmp_path / name, "--serial", f"HT1-0000{number + 51}")
    macs = {name: json.loads((tmp_path / name / "record.json").read_text())["mac"] for name in names}
    file = tmp_path / "bench.yaml"
    machines = "".join(MACHINE.format(name=name, unit=tmp_path / name) for name in names)
    file.write_text(BENCH.format(machines=machines, units="".join(UNIT.format(name=name) for name in names)))
    boards = IMAGE.parents[2] / "boards"
    with hilcop.open_bench(file, boards_dir=boards, record_dir=tmp_path / "run", shared_network=True) as bench:
        duts = {name: bench.dut(name) for name in names}
        for dut in duts.values():
            dut.power.on()
        for dut in duts.values():
            assert dut.boot_to(timeout_s=120).complete
        address = {name: duts[name].network.address(mac=macs[name], timeout_s=60) for name in names}
        assert address["one"] != address["two"]
        for name in names:
            assert duts[name].network.address() == address[name], "its own, as if it were alone"
            others = set(duts[name].network.status()["hosts"]) & {macs[other] for other in names if other != name}
            assert not others
        assert all(listens(duts["one"].network, address[name]) for name in names), "one gateway for both"
        with duts["two"].network.outage("wire"):
            assert not listens(duts["one"].network, address["two"])
            assert listens(duts["two"].network, address["one"]), "its wire alone is cut"
        for dut in duts.values():
            assert dut.network.status()["plugged"]
            assert dut.network.sync_capture()["dropped"] == 0
    for name, other in (names, names[::-1]):
        words = ["tshark", "-r", str(tmp_path / f"run/network/{name}.pcapng"), "-Y", "tcp.port == 443", "-T", "fields", "-e", "ip.dst"]
        said = subprocess.run(words, check=True, timeout=60, capture_output=True, text=True).stdout.split()
        assert address[name] in said
        assert address[other] not in said, "what is another's is not on its wire"
