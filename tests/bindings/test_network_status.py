# SPDX-License-Identifier: Apache-2.0
"""The types of what a network tells have all its keys, and no others; the network is real, its boards stay off."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import hilcop
import pytest
from hilcop.captures import CaptureFigures
from hilcop.network_status import NetworkStatus

BENCH = """
bench: types
instruments:
  machine-one: { driver: qemu-machine, arguments: [-M, virt], network: [{ channel: network }] }
  machine-two: { driver: qemu-machine, arguments: [-M, virt], network: [{ channel: network }] }
duts:
  one: { board: plain.yaml, network: { instrument: machine-one, channel: network } }
  two: { board: plain.yaml, network: { instrument: machine-two, channel: network } }
"""


def faults(value: Any, kind: Any, path: str = "") -> Iterator[str]:
    """What of a value its type does not say."""
    if get_origin(kind) is types.UnionType:
        kind = next(one for one in get_args(kind) if (one is types.NoneType) == (value is None))
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        for key in value.keys() ^ (hints.keys() if kind.__total__ else value.keys() & hints.keys()):
            yield f"{path}.{key}"
        for key in value.keys() & hints.keys():
            yield from faults(value[key], hints[key], f"{path}.{key}")
    elif get_origin(kind) is dict and get_args(kind)[1] is not Any:
        for key, one in value.items():
            yield from faults(one, get_args(kind)[1], f"{path}.{key}")
    elif get_origin(kind) is list:
        for one in value:
            yield from faults(one, get_args(kind)[0], f"{path}[]")
    elif kind is not Any and not isinstance(value, get_origin(kind) or kind):
        yield f"{path} is {value!r}, no {kind}"


@pytest.fixture
def bench_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("RUNTIME", "STATE"):
        monkeypatch.setenv(f"HILCOP_{name}_DIR", str(tmp_path / name.lower()))
    (tmp_path / "plain.yaml").write_text("board: plain\n")
    (tmp_path / "bench.yaml").write_text(BENCH)
    return tmp_path / "bench.yaml"


def test_a_network_tells_what_its_types_say(bench_file: Path, tmp_path: Path) -> None:
    with hilcop.open_bench(bench_file, duts=["one"], boards_dir=tmp_path, record_dir=tmp_path / "run") as bench:
        network = bench.dut("one").network
        assert list(faults(network.status(), NetworkStatus)) == []
        network.intercept(ports=(443,))
        status = network.status()
        assert list(faults(status, NetworkStatus)) == []
        assert get_type_hints(NetworkStatus).keys() - status.keys() == {"ports"}
        figures = network.sync_capture()
        assert list(faults(figures, CaptureFigures)) == []
        assert figures.keys() == get_type_hints(CaptureFigures).keys()
        with network.capture(tmp_path / "extra.pcapng") as extra:
            assert extra == {}
        assert extra.keys() == figures.keys()


def test_a_shared_one_tells_each_port_the_same(bench_file: Path, tmp_path: Path) -> None:
    with hilcop.open_bench(bench_file, boards_dir=tmp_path, shared_network=True) as bench:
        for name in ("one", "two"):
            status = bench.dut(name).network.status()
            assert list(faults(status, NetworkStatus)) == []
            assert status.keys() == get_type_hints(NetworkStatus).keys()


def test_a_type_that_says_something_else_is_seen() -> None:
    figures = {"packets": "1", "droped": 0, "failure": {"kind": "Timeout"}}
    missing = [f".failure.{key}" for key in ("cause", "context", "object", "remedy")]
    assert sorted(faults(figures, CaptureFigures)) == [".droped", *missing, ".packets is '1', no <class 'int'>"]
