# SPDX-License-Identifier: Apache-2.0
"""Whoever dies, a relay that keeps its state by itself is brought to its safe state, and only the relay that was his."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import until

PROGRAM = os.environ["HILCOP_PROGRAM"]

if TYPE_CHECKING:
    from conftest import Rig


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def begin_of(pid: int) -> float:
    """By the clock of time.monotonic(), to 10 ms; the kernel counts it on the one that goes on while the host sleeps."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    return ticks / os.sysconf("SC_CLK_TCK") - asleep


def test_two_runs_on_two_duts_of_one_board_do_not_disturb_each_other(rig: Rig) -> None:
    first, second = rig.run("a"), rig.run("b")
    assert rig.powered("a")
    assert rig.powered("b")
    assert rig.becomes("11000000", 2)
    (rig.folder / "end-a").touch()
    assert first.wait(20) == 0, first.stdout.read() if first.stdout else ""
    assert rig.becomes("01000000", 2)
    assert second.poll() is None
    os.kill(rig.worker_pid("b"), signal.SIGKILL)
    assert rig.becomes("00000000", 2)
    assert second.wait(20) == 3
    assert sorted(rig.switchings()) == ["1 off", "1 on", "2 off", "2 on"]


@pytest.mark.parametrize("victims", ["worker", "supervisor", "worker and supervisor"])
def test_a_relay_is_off_within_2_s_of_a_sigkill_of(victims: str, rig: Rig) -> None:
    run = rig.run("a")
    assert rig.powered("a")
    assert rig.becomes("10000000", 2)
    worker = rig.worker_pid("a")
    if "worker" in victims:
        os.kill(worker, signal.SIGKILL)
    if "supervisor" in victims:
        run.kill()
    assert rig.becomes("00000000", 2)
    status = rig.hilcop("power", "a", "status", "-b", "bench.yaml")
    assert status.stdout == "off\n", status.stderr
    events = (rig.folder / "run-a" / "timeline" / "worker-a.ndjson").read_text().splitlines()
    assert any(json.loads(line)["kind"] == "power.edge" for line in events)


def test_after_a_sigkill_of_the_keeper_the_next_one_switches_off_what_nobody_claims(rig: Rig) -> None:
    run = rig.run("a")
    assert rig.powered("a")
    worker, keeper = rig.worker_pid("a"), rig.keeper_pid()
    for pid in (worker, run.pid):
        os.kill(pid, signal.SIGSTOP)  # all at once: nobody may see another die
    for pid in (keeper, worker, run.pid):
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not any(alive(pid) for pid in (keeper, worker, run.pid)), 5)
    assert rig.coils() == "10000000"  # nobody is left who could switch: the relay keeps what it had
    status = rig.hilcop("power", "b", "status", "-b", "bench.yaml")
    assert status.returncode == 0, status.stderr
    next_keeper = rig.keeper_pid()
    assert next_keeper != keeper
    assert rig.becomes("00000000", 20)
    # Of the keeper alone: what the command and this test take beside it is no delay of its own.
    assert 1.4 <= rig.moment_of("1 off") - begin_of(next_keeper) <= 2.5


def test_a_sigkill_of_the_keeper_alone_ends_the_run_as_an_error(rig: Rig) -> None:
    run = rig.run("a")
    assert rig.powered("a")
    os.kill(rig.keeper_pid(), signal.SIGKILL)
    (rig.folder / "end-a").touch()  # its power.off() finds no keeper
    assert run.wait(30) == 3
    assert rig.hilcop("power", "b", "status", "-b", "bench.yaml").returncode == 0
    assert rig.becomes("00000000", 2.5)


def test_a_scenarios_child_that_lives_on_holds_no_lease(rig: Rig) -> None:
    (rig.folder / "leave-a-child").touch()
    run = rig.run("a")
    assert rig.powered("a")
    os.kill(rig.worker_pid("a"), signal.SIGKILL)
    run.kill()
    assert rig.becomes("00000000", 2)
    (rig.folder / "leave-a-child").unlink()
    (rig.folder / "end-a").touch()
    again = rig.run("a", name="again")
    assert again.wait(20) == 0, again.stdout.read() if again.stdout else ""


def test_power_by_hand_is_held_while_the_command_runs(rig: Rig) -> None:
    held = rig.start(PROGRAM, "power", "a", "on", "--for", "5", "-b", "bench.yaml")
    assert rig.becomes("10000000", 20)
    assert held.wait(20) == 0
    assert rig.coils() == "00000000"
    until_ctrl_c = rig.start(PROGRAM, "power", "a", "cycle", "-b", "bench.yaml")
    assert rig.becomes("10000000", 20)
    assert until_ctrl_c.stdout
    assert until_ctrl_c.stdout.readline().startswith("on; held while this command runs")
    until_ctrl_c.send_signal(signal.SIGINT)
    assert until_ctrl_c.wait(20) == 0
    assert rig.coils() == "00000000"
    status = rig.hilcop("power", "a", "status", "-b", "bench.yaml", "--json")
    assert json.loads(status.stdout) == {"dut": "a", "on": False}


def test_a_killed_pytest_leaves_no_power(rig: Rig) -> None:
    (rig.folder / "test_it.py").write_text(
        "import time\nfrom pathlib import Path\n\ndef test_it(dut):\n    dut.power.on()\n    Path('on').touch()\n    time.sleep(60)\n"
    )
    process = rig.start(
        sys.executable, "-m", "pytest", "-p", "hilcop.pytest_plugin", "--hilcop-bench", "bench.yaml", "--hilcop-dut", "a", "test_it.py"
    )
    assert rig.becomes("10000000", 20), process.poll()
    process.kill()
    assert rig.becomes("00000000", 2)


def test_a_pytest_gets_its_dut_without_power_and_leaves_it_so(rig: Rig) -> None:
    (rig.folder / "test_it.py").write_text(
        "def test_one(dut):\n    assert dut.power.state() is False\n    dut.power.on()\n    assert dut.power.state() is True\n\n"
        "def test_two(dut):\n    assert dut.power.state() is False\n"
    )
    process = rig.start(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "hilcop.pytest_plugin",
        "--hilcop-bench",
        "bench.yaml",
        "--hilcop-dut",
        "a",
        "test_it.py",
    )
    output, _ = process.communicate(timeout=40)
    assert process.returncode == 0, output
    assert rig.switchings() == ["1 on", "1 off"]


def test_a_board_that_does_not_answer_is_switched_off_as_soon_as_it_does(rig: Rig) -> None:
    run = rig.run("a")
    assert rig.powered("a")
    (rig.folder / "mute").touch()
    os.kill(rig.worker_pid("a"), signal.SIGKILL)
    assert run.wait(30) == 3
    assert until(rig.restore_failed, 10)
    assert rig.coils() == "10000000"
    (rig.folder / "mute").unlink()
    assert rig.becomes("00000000", 5)


def test_a_contact_that_does_not_open_is_tried_again_until_it_does(rig: Rig) -> None:
    run = rig.run("a")
    assert rig.powered("a")
    (rig.folder / "welded-1").touch()
    os.kill(rig.worker_pid("a"), signal.SIGKILL)
    assert run.wait(30) == 3
    assert until(rig.restore_failed, 10)
    assert rig.coils() == "10000000"
    (rig.folder / "welded-1").unlink()
    assert rig.becomes("00000000", 5)


def test_who_asks_for_an_output_meanwhile_does_not_end_the_tries(rig: Rig) -> None:
    run = rig.run("a")
    assert rig.powered("a")
    (rig.folder / "mute").touch()
    os.kill(rig.worker_pid("a"), signal.SIGKILL)
    assert run.wait(30) == 3
    assert rig.hilcop("power", "a", "status", "-b", "bench.yaml").returncode == 3
    (rig.folder / "mute").unlink()
    assert rig.becomes("00000000", 5)


def test_a_full_state_directory_leaves_no_power(rig: Rig) -> None:
    # The keeper may write files of at most 4 KiB: its journal soon is one.
    limited = rig.start("/bin/sh", "-c", f'trap "" XFSZ; ulimit -f 4; exec {PROGRAM} keeper')
    for _ in range(60):
        if rig.hilcop("power", "a", "on", "--for", "0.01", "-b", "bench.yaml").returncode != 0:
            break
    else:
        pytest.fail("the journal never filled")
    assert rig.becomes("00000000", 5)
    assert limited.poll() is None, "the keeper goes on"
    refused = rig.hilcop("power", "a", "on", "--for", "0.01", "-b", "bench.yaml")
    assert refused.returncode == 3
    assert "free disk space" in refused.stderr
    assert rig.coils() == "00000000"


def test_a_welded_contact_is_a_bench_error_that_says_so(rig: Rig) -> None:
    run = rig.run("a")
    assert rig.powered("a")
    (rig.folder / "welded-1").touch()
    (rig.folder / "end-a").touch()
    output, _ = run.communicate(timeout=30)
    assert run.returncode == 3, output
    record = json.loads((rig.folder / "run-a" / "run.json").read_text())
    assert record["scenarios"][0]["verdict"] == "Error"
    assert "reads back on" in record["scenarios"][0]["error"]["cause"]


def test_a_board_that_keeps_its_power_after_a_scenario_is_an_error(rig: Rig) -> None:
    (rig.folder / "leave-it-on").touch()
    run = rig.run("a")
    assert rig.powered("a")
    (rig.folder / "welded-1").touch()
    (rig.folder / "end-a").touch()
    output, _ = run.communicate(timeout=30)
    assert run.returncode == 3, output
    scenario = json.loads((rig.folder / "run-a" / "run.json").read_text())["scenarios"][0]
    assert scenario["checks"][0]["verdict"] == "Pass"
    assert scenario["verdict"] == "Error"
    assert "reads back on" in scenario["error"]["cause"]


def test_a_dut_that_is_in_use_names_its_holder(rig: Rig) -> None:
    rig.run("a")
    assert rig.powered("a")
    other = rig.run("a", name="other")
    output, _ = other.communicate(timeout=30)
    assert other.returncode == 3
    assert "held by dut a" in output
    assert f"pid {rig.worker_pid('a')}" in output
    assert rig.coils() == "10000000"


def test_a_missing_serial_port_is_told_and_nothing_is_powered(rig: Rig) -> None:
    text = (rig.folder / "bench.yaml").read_text().replace("duts:", "  adapter: { driver: serial, port: /dev/ttyNOSUCH7 }\nduts:")
    text = text.replace("channel: '1' } }", "channel: '1' }, consoles: { main: { instrument: adapter, channel: console } } }")
    (rig.folder / "serial.yaml").write_text(text)
    run = rig.run("a", bench="serial.yaml")
    output, _ = run.communicate(timeout=30)
    assert run.returncode == 3, output
    assert "serial port /dev/ttyNOSUCH7" in output
    assert "check the path, the cable" in output
    assert rig.switchings() == []


def test_safe_state_leaves_what_is_leased_unless_forced(rig: Rig) -> None:
    rig.run("a")
    assert rig.powered("a")
    left = rig.hilcop("safe-state")
    assert left.returncode == 0, left.stderr
    assert rig.coils() == "10000000"
    forced = rig.hilcop("safe-state", "--force")
    assert forced.returncode == 0, forced.stderr
    assert rig.coils() == "00000000", "it is there when the command says so"
    assert "taken back: at its safe state" in forced.stdout
