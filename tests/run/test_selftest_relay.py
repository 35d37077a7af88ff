# SPDX-License-Identifier: Apache-2.0
"""A bench of relays tests itself; what failed is refused until it passes, and what is forced to run proves nothing."""

from __future__ import annotations

import grp
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from conftest import PROGRAM, until

if TYPE_CHECKING:
    import subprocess

    from conftest import Rig


def selftest_of(rig: Rig, *words: str) -> tuple[int, dict[str, Any]]:
    done = rig.hilcop("selftest", "-b", "bench.yaml", "--min-free-mib", "1", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def grades(record: dict[str, Any], item: str) -> dict[str, str]:
    return {entry["dut"]: entry["grade"] for entry in record["items"] if entry["item"] == item}


def run(rig: Rig, dut: str, out: str, *words: str) -> subprocess.CompletedProcess[str]:
    (rig.folder / f"end-{dut}").touch()
    return rig.hilcop("run", "X99-HOLD", "-b", "bench.yaml", "--dut", dut, "--scenarios", "hold.py", "--out", out, *words)


def record_of(rig: Rig, out: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((rig.folder / out / "run.json").read_text())
    return record


def test_a_relay_that_reads_back_but_shows_nothing_is_not_proved(rig: Rig) -> None:
    status, record = selftest_of(rig)
    assert status == 0, record
    assert grades(record, "read-back") == {"a": "pass", "b": "pass"}
    assert grades(record, "power") == {"a": "not proved", "b": "not proved"}
    assert rig.coils() == "00000000"
    assert {"1 on", "1 off", "2 on", "2 off"} <= set(rig.switchings())


def test_a_welded_relay_fails_and_its_run_is_refused_until_it_opens(rig: Rig) -> None:
    (rig.folder / "welded-1").touch()
    status, record = selftest_of(rig)
    assert status == 3
    assert grades(record, "power") == {"a": "fail", "b": "not proved"}
    refused = run(rig, "a", "refused")
    assert refused.returncode == 3
    assert "reads back on" in refused.stderr
    assert "--without-selftest" in refused.stderr
    assert not (rig.folder / "refused").exists()
    (rig.folder / "welded-1").unlink()
    assert rig.becomes("00000000", 5)
    assert run(rig, "b", "other").returncode == 0  # the other relay is not to blame
    forced = run(rig, "a", "forced", "--without-selftest")
    assert forced.returncode == 3, forced.stdout
    check = record_of(rig, "forced")["scenarios"][0]["checks"][0]
    assert (check["verdict"], check["said"]) == ("Inconclusive", "Pass")
    assert "self-test does not hold" in check["reason"]
    report = (rig.folder / "forced" / "report.html").read_text()
    assert "reads back on" in report
    assert selftest_of(rig)[0] == 0
    assert run(rig, "a", "again").returncode == 0
    opened = record_of(rig, "again")["benches"][0]["duts"]["a"]
    assert opened["selftest"]["state"] == "passed"
    assert opened["instruments"]["power"]["switch_count"] > 2


def test_a_board_that_does_not_answer_fails(rig: Rig) -> None:
    (rig.folder / "mute").touch()
    status, record = selftest_of(rig)
    assert status == 3
    assert set(grades(record, "instruments").values()) == {"fail"}


def test_lab_config_may_require_one_that_is_of_now(rig: Rig) -> None:
    bench = rig.folder / "bench.yaml"
    plain = bench.read_text()
    assert run(rig, "a", "advised").returncode == 0
    assert record_of(rig, "advised")["benches"][0]["duts"]["a"]["selftest"]["state"] == "none"
    bench.write_text(plain + "selftest: required\n")
    refused = run(rig, "a", "none")
    assert refused.returncode == 3
    assert "no self-test was made" in refused.stderr
    assert selftest_of(rig)[0] == 0
    assert run(rig, "a", "required").returncode == 0
    bench.write_text(plain + "selftest: required\nselftest_max_age_h: 0\n")
    refused = run(rig, "a", "old")
    assert refused.returncode == 3
    assert "lab-config changed since" in refused.stderr
    assert selftest_of(rig)[0] == 0
    refused = run(rig, "a", "older")
    assert refused.returncode == 3
    assert "lab-config allows 0 h" in refused.stderr


def test_too_little_room_is_a_fault_of_the_whole_bench(rig: Rig) -> None:
    done = rig.hilcop("selftest", "-b", "bench.yaml", "--min-free-mib", "99999999999", "--quick")
    assert done.returncode == 3
    assert "free some" in done.stdout
    assert run(rig, "b", "refused").returncode == 3


def test_a_dut_that_is_in_use_is_not_tested(rig: Rig) -> None:
    rig.run("a")
    assert rig.powered("a")
    done = rig.hilcop("selftest", "-b", "bench.yaml", "--min-free-mib", "1")
    assert done.returncode == 3
    assert "held by dut a" in done.stderr
    assert rig.coils() == "10000000"


def test_switches_are_counted_and_a_worn_relay_is_told(rig: Rig) -> None:
    bench = rig.folder / "bench.yaml"
    bench.write_text(bench.read_text().replace("channel: '1'", "channel: '1', rated_switches: 2"))
    selftest_of(rig, "--dut", "a")
    _, record = selftest_of(rig, "--dut", "a")
    assert grades(record, "wear") == {"a": "warning"}
    assert record["duts"] == ["a"]
    assert "WORN" in rig.hilcop("list", "-b", "bench.yaml").stdout


def test_what_is_interrupted_leaves_its_outputs_off(rig: Rig) -> None:
    bench = rig.folder / "bench.yaml"
    bench.write_text(
        bench.read_text()
        .replace("port: ", "inputs: 1, port: ")
        .replace("'1' } }", "'1' }, inputs: { in: { instrument: relay, channel: in1 } } }")
    )
    (rig.folder / "slow").touch()
    for words in (["selftest", "--min-free-mib", "1"], ["calibrate", "a", "--effect", "input:in"]):
        process = rig.start(PROGRAM, *words, "-b", "bench.yaml")
        assert rig.becomes("10000000", 20), words
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
        assert rig.coils() == "00000000", output
        assert process.returncode == 130, output


def test_in_a_group_a_failed_one_refuses_everybody(rig: Rig) -> None:
    socket = rig.folder / "shared" / "keeper.sock"
    socket.parent.mkdir()
    rig.environment["HILCOP_KEEPER_SOCKET"] = str(socket)
    rig.start(PROGRAM, "keeper", "--socket", str(socket), "--group", grp.getgrgid(os.getgid()).gr_name)
    assert until(socket.exists, 10)
    (rig.folder / "welded-1").touch()
    assert selftest_of(rig)[0] == 3
    (rig.folder / "welded-1").unlink()
    rig.environment["HILCOP_STATE_DIR"] = str(rig.folder / "home of another")
    refused = run(rig, "a", "refused")
    assert refused.returncode == 3
    assert "reads back on" in refused.stderr
    assert selftest_of(rig)[0] == 0
    rig.environment["HILCOP_STATE_DIR"] = str(rig.folder / "state")
    assert run(rig, "a", "again").returncode == 0


def python(rig: Rig, *words: str) -> tuple[int, str]:
    process = rig.start(sys.executable, *words)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_what_a_run_refuses_is_refused_in_python_and_by_pytest(rig: Rig) -> None:
    script = "import hilcop\nwith hilcop.open_bench('bench.yaml', duts=['a']{}) as bench: print(bench.dut('a').power.state())"
    (rig.folder / "test_it.py").write_text("def test_off(dut):\n    assert dut.power.state() is False\n")
    plugin = ["-m", "pytest", "-p", "hilcop.pytest_plugin", "-p", "no:cacheprovider", "--hilcop-bench", "bench.yaml", "--hilcop-dut"]
    (rig.folder / "welded-1").touch()
    assert selftest_of(rig)[0] == 3
    (rig.folder / "welded-1").unlink()
    refusal = run(rig, "a", "refused").stderr
    cause = refusal[refusal.index("dut 'a' of bench") : refusal.index("; or go on with")]
    assert "no run without a self-test that passed: failed" in cause
    for words in (["-c", script.format("")], [*plugin, "a", "test_it.py"]):
        status, output = python(rig, *words)
        assert status != 0
        assert "no run without a self-test that passed: failed" in output
        assert "reads back on" in output
        assert "without_selftest=True (pytest: --hilcop-without-selftest)" in output
    assert "UnsupportedError" in output
    assert python(rig, *plugin, "b", "test_it.py")[0] == 0  # the other relay is not to blame
    assert python(rig, "-c", script.format(", without_selftest=True")) == (0, "False\n")
    assert python(rig, *plugin, "a", "--hilcop-without-selftest", "test_it.py")[0] == 0
    assert selftest_of(rig)[0] == 0
    assert python(rig, "-c", script.format("")) == (0, "False\n")


def test_a_power_port_without_an_effect_is_not_calibrated(rig: Rig) -> None:
    done = rig.hilcop("calibrate", "a", "-b", "bench.yaml", "--switchings", "3")
    assert done.returncode == 3
    assert "has no console 'main'" in done.stderr
    done = rig.hilcop("calibrate", "a", "-b", "bench.yaml", "--switchings", "3", "--effect", "clock")
    assert done.returncode == 3
    assert "has no clock of its own" in done.stderr
    assert rig.becomes("00000000", 2)
