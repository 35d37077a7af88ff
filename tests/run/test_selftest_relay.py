# SPDX-License-Identifier: Apache-2.0
"""A bench of relays tests itself; what failed is refused until it passes, and what is forced to run proves nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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


def test_a_power_port_without_an_effect_is_not_calibrated(rig: Rig) -> None:
    done = rig.hilcop("calibrate", "a", "-b", "bench.yaml", "--switchings", "3")
    assert done.returncode == 3
    assert "has no console 'main'" in done.stderr
    done = rig.hilcop("calibrate", "a", "-b", "bench.yaml", "--switchings", "3", "--effect", "clock")
    assert done.returncode == 3
    assert "has no clock of its own" in done.stderr
    assert rig.becomes("00000000", 2)
