# SPDX-License-Identifier: Apache-2.0
"""What a scenario may say, and how a check comes to its verdict."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from unittest.mock import Mock

import hilcop
import pytest
from hilcop import scenarios


@pytest.fixture
def run(tmp_path: Path) -> scenarios.Run:
    declared = scenarios.Scenario("X00", "t", ("5.9-1",), (), (), dict.fromkeys(scenarios.EFFORTS, 1.0), lambda _dut, _run: None, "f", 1)
    timeline = hilcop.Timeline(file=str(tmp_path / "timeline" / "w.ndjson"))
    return scenarios.Run(declared, "d", timeline, 1, "demo", tmp_path / "console")


def events(run: scenarios.Run, kind: str) -> list[dict[str, object]]:
    file = run.record_dir.parent / "timeline" / "w.ndjson"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [line["data"] for line in lines if line["kind"] == kind]


def test_a_power_on_that_fails_is_followed_by_a_power_off() -> None:
    dut = Mock(spec=hilcop.Dut)
    dut.power.on.side_effect = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), scenarios.powered(dut):
        pytest.fail("never powered")
    assert [call[0] for call in dut.power.method_calls] == ["on", "off"]


def test_without_a_control_nothing_passes(run: scenarios.Run) -> None:
    check = run.check("c", expected="e")
    check.judge(True, observed="fine")
    assert check.verdict == "Inconclusive"
    assert "no control" in str(events(run, "check.verdict")[0]["reason"])


def test_with_a_failed_control_nothing_passes_but_a_fail_stands(run: scenarios.Run) -> None:
    passes = run.check("a", expected="e")
    passes.control("stimulus", ok=False)
    passes.control("oracle", ok=True)
    passes.judge(True, observed="fine")
    assert passes.verdict == "Inconclusive"
    fails = run.check("b", expected="e")
    fails.judge(False, observed="bad")
    assert fails.verdict == "Fail"


def test_with_every_control_ok_it_passes(run: scenarios.Run) -> None:
    check = run.check("c", expected="e")
    check.control("stimulus", ok=True)
    check.judge(True, observed="fine")
    assert check.verdict == "Pass"


def test_a_fail_is_never_taken_back(run: scenarios.Run) -> None:
    check = run.check("c", expected="e")
    check.control("stimulus", ok=True)
    check.fail(observed="bad")
    check.judge(True, observed="fine")
    check.inconclusive("why")
    assert check.verdict == "Fail"
    assert len(events(run, "check.verdict")) == 1


def test_what_was_declared_and_not_judged_is_inconclusive(run: scenarios.Run) -> None:
    check = run.check("c", expected="e")
    run.measurement("m", unit="s", maximum=1)
    run.finish()
    assert check.verdict == "Inconclusive"
    assert [c.verdict for c in run.checks] == ["Inconclusive", "Inconclusive"]


@pytest.mark.parametrize(("value", "verdict"), [(0.5, "Pass"), (1.0, "Pass"), (1.001, "Fail")])
def test_a_measurement_is_judged_by_its_limits(run: scenarios.Run, value: float, verdict: str) -> None:
    run.measurement("m", unit="s", maximum=1).record(value)
    run.finish()
    assert run.checks[0].verdict == verdict


def test_the_same_seed_gives_the_same_numbers(run: scenarios.Run, tmp_path: Path) -> None:
    again = scenarios.Run(run.scenario, "d", run.timeline, 1, "demo", tmp_path)
    assert [run.random.random() for _ in range(5)] == [again.random.random() for _ in range(5)]


HANGS = {
    "sleep": "time.sleep(60)",
    "subprocess": "subprocess.run(['sleep', '60'])",
    "loop": "while True: pass",
    "swallows exceptions": "while True:\n    try:\n        time.sleep(60)\n    except Exception:\n        pass",
    "swallows once": "try:\n    time.sleep(60)\nexcept BaseException:\n    time.sleep(60)",
}


@pytest.mark.parametrize("hang", HANGS.values(), ids=HANGS.keys())
def test_the_time_limit_breaks_out_of(hang: str) -> None:
    program = textwrap.dedent("""
        import os, signal, subprocess, time, hilcop
        from hilcop.worker import TimeLimit
        limit = TimeLimit()
        signal.signal(signal.SIGALRM, limit._expired)
        try:
            with limit.watching():
                os.kill(os.getpid(), 0)
                signal.setitimer(signal.ITIMER_REAL, 0.2)
        {hang}
        except hilcop.ScenarioTimeout:
            print("broke out")
    """).format(hang=textwrap.indent(hang, " " * 8))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "broke out\n", done.stderr


def test_ctrl_c_ends_a_wait_of_the_harness() -> None:
    program = textwrap.dedent("""
        import os, signal, threading, time, hilcop
        hilcop.wake_waits_on(signal.SIGINT)
        try:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            hilcop.wait_until(time.monotonic_ns() + 60 * 10**9)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "interrupted\n", done.stderr


def test_errors_are_of_their_built_in_kin_and_say_what_to_do() -> None:
    with pytest.raises(hilcop.ConfigError) as caught:
        hilcop.open_bench("no-such-bench.yaml")
    assert isinstance(caught.value, ValueError)
    assert "no-such-bench.yaml:1:1: there is no such file" in str(caught.value)
    assert caught.value.kind == "Config"
