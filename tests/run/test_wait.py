# SPDX-License-Identifier: Apache-2.0
"""Two processes want one DUT: the second is refused with the first one's name, or queues with --wait and says once for whom."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from conftest import until

PROGRAM = os.environ["HILCOP_PROGRAM"]

if TYPE_CHECKING:
    from conftest import Rig

WAITING = re.compile(
    r"^hilcop: (?:a: )?waiting for at most \d+ s: dut:relays/a is held by dut a \(hilcop power on\), pid (\d+), since 20\d\d-\S+Z$",
    re.MULTILINE,
)


@pytest.fixture
def holder(rig: Rig) -> Iterator[subprocess.Popen[str]]:
    process = rig.start(PROGRAM, "power", "a", "on", "-b", "bench.yaml")
    assert rig.becomes("10000000", 20)
    yield process
    process.send_signal(signal.SIGINT)
    process.wait(20)


def hears_of(holder: subprocess.Popen[str], waiter: subprocess.Popen[str]) -> str:
    """What the waiter says until it says for whom it waits."""
    assert waiter.stdout
    text = ""
    for line in waiter.stdout:
        text += line
        if found := WAITING.search(text):
            assert int(found.group(1)) == holder.pid
            return text
    pytest.fail(f"never said for whom it waits: {text}")


def test_power_waits_for_its_turn_and_says_for_whom_once(rig: Rig, holder: subprocess.Popen[str]) -> None:
    waiter = rig.start(PROGRAM, "power", "a", "on", "--for", "0.2", "--wait", "60", "-b", "bench.yaml")
    heard = hears_of(holder, waiter)
    assert waiter.poll() is None
    holder.send_signal(signal.SIGINT)
    rest, _ = waiter.communicate(timeout=30)
    assert waiter.returncode == 0, rest
    assert len(WAITING.findall(heard + rest)) == 1
    assert rig.switchings() == ["1 on", "1 off", "1 on", "1 off"]


def test_without_wait_it_is_refused_at_once_with_the_name(rig: Rig, holder: subprocess.Popen[str]) -> None:
    for command in (["power", "a", "off"], ["console", "a"]):
        refused = rig.hilcop(*command, "-b", "bench.yaml")
        assert refused.returncode == 3
        assert f"held by dut a (hilcop power on), pid {holder.pid}" in refused.stderr
        assert "--wait" in refused.stderr
        assert "waiting" not in refused.stderr
    assert rig.coils() == "10000000"


def test_a_wait_that_was_too_short_ends_with_the_holders_name(rig: Rig, holder: subprocess.Popen[str]) -> None:
    refused = rig.hilcop("power", "a", "off", "--wait", "0.3", "-b", "bench.yaml")
    assert refused.returncode == 3
    assert f"pid {holder.pid}" in refused.stderr.splitlines()[-1]
    assert rig.coils() == "10000000"


def test_ctrl_c_ends_a_wait(rig: Rig, holder: subprocess.Popen[str]) -> None:
    waiter = rig.start(PROGRAM, "power", "a", "off", "--wait", "600", "-b", "bench.yaml")
    hears_of(holder, waiter)
    waiter.send_signal(signal.SIGINT)
    assert waiter.wait(10) == 130
    assert rig.coils() == "10000000"


def test_a_run_waits_and_says_for_whom(rig: Rig, holder: subprocess.Popen[str]) -> None:
    (rig.folder / "end-a").touch()
    waiter = rig.start(
        PROGRAM, "run", "X99-HOLD", "-b", "bench.yaml", "--dut", "a", "--scenarios", "hold.py", "--out", "run-a", "--wait", "60"
    )
    heard = hears_of(holder, waiter)
    holder.send_signal(signal.SIGINT)
    rest, _ = waiter.communicate(timeout=40)
    assert waiter.returncode == 0, rest
    assert len(WAITING.findall(heard + rest)) == 1
    timeline = (rig.folder / "run-a" / "timeline" / "worker-a.ndjson").read_text()
    assert timeline.count('"bench.wait"') == 1


def test_a_console_waits_and_says_for_whom(rig: Rig, holder: subprocess.Popen[str]) -> None:
    waiter = rig.start(PROGRAM, "console", "a", "--wait", "60", "-b", "bench.yaml")
    hears_of(holder, waiter)
    holder.send_signal(signal.SIGINT)
    rest, _ = waiter.communicate(timeout=30)
    assert waiter.returncode == 0, rest  # its standard input is at its end: so is the console
    assert "console of a: Ctrl-]" in rest


def test_pytest_and_a_script_wait_and_say_for_whom(rig: Rig, holder: subprocess.Popen[str]) -> None:
    (rig.folder / "test_it.py").write_text("def test_it(dut):\n    assert dut.power.state() is False\n")
    plugin = ["-p", "hilcop.pytest_plugin", "--hilcop-bench", "bench.yaml", "--hilcop-dut", "a", "--hilcop-wait", "60"]
    waiter = rig.start(sys.executable, "-m", "pytest", "-q", *plugin, "test_it.py")
    script = rig.start(
        sys.executable, "-c", "import hilcop\nwith hilcop.open_bench('bench.yaml', duts=['a'], wait_s=60):\n    print('open')"
    )
    hears_of(holder, waiter)
    hears_of(holder, script)
    holder.send_signal(signal.SIGINT)
    for process in (waiter, script):
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0, rest
    assert until(lambda: rig.coils() == "00000000", 5)
