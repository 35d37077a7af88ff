# SPDX-License-Identifier: Apache-2.0
"""pytest fixtures `bench` and `dut`: the same harness in-process, through the same keeper.

pytest -p hilcop.pytest_plugin --hilcop-bench lab-config/virtual.yaml --hilcop-dut board1
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hilcop import Bench, Dut


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hilcop")
    group.addoption("--hilcop-bench", help="lab-config file to open")
    group.addoption("--hilcop-dut", help="DUT of it (default: the first)")
    group.addoption(
        "--hilcop-wait", type=float, default=0, help="seconds to queue while somebody else holds a DUT (default: refuse at once)"
    )
    group.addoption(
        "--hilcop-without-selftest", action="store_true", help="go on with a DUT whose self-test failed: what is seen then proves nothing"
    )
    group.addoption("--hilcop-record", default="", help="directory for console recordings")
    group.addoption("--hilcop-faults", default="", help="make the consoles faulty on purpose: drop_every=5000,stall_every=20000,seed=3")


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The bench, open for the session; everything is at its safe state afterwards."""
    import hilcop

    file = request.config.getoption("--hilcop-bench")
    if not file:
        raise pytest.UsageError("name the bench: --hilcop-bench lab-config/<name>.yaml")
    dut = request.config.getoption("--hilcop-dut")
    record = request.config.getoption("--hilcop-record")
    faults = request.config.getoption("--hilcop-faults")
    wait_s = request.config.getoption("--hilcop-wait")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:  # a person must see it now, not when the test has failed
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            print(f"hilcop: {text}", file=sys.stderr, flush=True)

    with hilcop.open_bench(
        file,
        duts=[dut] if dut else [],
        record_dir=record,
        wait_s=wait_s,
        holder="pytest",
        on_wait=say,
        faults=faults,
        without_selftest=request.config.getoption("--hilcop-without-selftest"),
    ) as opened:
        yield opened


@pytest.fixture
def dut(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Dut]:
    """The DUT, without power at the begin and at the end of each test."""
    found = bench.dut(request.config.getoption("--hilcop-dut") or bench.duts[0])
    yield found
    found.power.off()
