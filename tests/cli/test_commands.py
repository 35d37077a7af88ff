# SPDX-License-Identifier: Apache-2.0
"""What a person or a program gets from the commands when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]


def hilcop(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "r"), "HILCOP_STATE_DIR": str(folder / "s"), "HILCOP_HOME": str(SOURCE)}
    environment.pop("HILCOP_BENCH", None)
    return subprocess.run([PROGRAM, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_version(tmp_path: Path) -> None:
    assert hilcop("version", folder=tmp_path).stdout.startswith("hilcop 0.")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "NO-SUCH"], "scenario 'NO-SUCH'"),
        (["run", "G09-POWER-CYCLE", "--dut", "board9"], "choose one of: board1, board2"),
        (["run", "G09-POWER-CYCLE", "--effort", "huge"], "demo"),
        (["run", "--bench", "none"], "choose one of: virtual"),
        (["power", "board9", "on"], "choose one of: board1, board2"),
        (["run", "X01-A", "--scenarios", "none.py"], "none.py: there is no such file"),
        (["power", "board1", "status", "--wait", "-1"], "'-1' is no number of seconds from 0 to 1e+08"),
        (["power", "board1", "status", "--wait", "inf"], "'inf' is no number of seconds"),
        (["check", "none.yaml"], "there is no such file"),
        (["nonsense"], "nonsense"),
    ],
)
def test_usage_errors_say_what_to_do_and_exit_with_2(words: list[str], says: str, tmp_path: Path) -> None:
    done = hilcop(*words, folder=tmp_path)
    assert done.returncode == 2, done
    assert says in done.stdout + done.stderr


def test_a_run_never_writes_into_another_runs_evidence(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    done = hilcop("run", "G09-POWER-CYCLE", "--out", "there", folder=tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr


def test_check_gives_json_with_every_problem(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("bench: x\ninstruments: {}\nduts: { d: { bord: b } }\n")
    done = hilcop("check", "x.yaml", "--json", folder=tmp_path)
    assert done.returncode == 2
    problems = json.loads(done.stdout)
    assert {problem["key"] for problem in problems} == {"duts.d.bord", "duts.d"}


def test_check_takes_board_files_too(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("board: lamp\nboot_stages: [{ name: up, pattern: ready, deadline_s: 3 }]\n")
    (tmp_path / "bad.yaml").write_text(
        "board: lamp\nmin_of_ms: 5\nmachine: { driver: qemu-machin }\nboot_stages: [{ name: a, pattern: '(', deadline_s: 1 }]\n"
    )
    (tmp_path / "bench.yaml").write_text("board: x\nduts: {}\n")
    done = hilcop("check", "good.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "good.yaml: board 'lamp', 1 boot stages: fine\n"
    done = hilcop("check", "good.yaml", "bad.yaml", "bench.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml:2:1: min_of_ms: unknown key (did you mean 'min_off_ms'?)" in done.stderr
    assert "bad.yaml:3:20: machine.driver: 'qemu-machin' is no driver (did you mean 'qemu-machine'?)" in done.stderr
    assert "bad.yaml:4:" in done.stderr
    assert "bench.yaml:1:1: board: unknown key" in done.stderr
    problems = json.loads(hilcop("check", "bad.yaml", "--json", folder=tmp_path).stdout)
    assert {problem["key"] for problem in problems} >= {"min_of_ms", "machine.driver"}


@pytest.mark.parametrize("text", ["", "\0", "[", "- a\n", "board: [\n", "? [a]\n: b\n", "board: b\nboard: c\n"])
def test_a_file_that_is_neither_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(text)
    done = hilcop("check", "x.yaml", folder=tmp_path)
    assert done.returncode == 2, done
    assert "x.yaml:" in done.stderr


def test_a_broken_scenario_file_is_shown_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import hilcop\nraise RuntimeError('oh')\n")
    done = hilcop("run", "--scenarios", "broken.py", folder=tmp_path)
    assert done.returncode == 2
    assert "broken.py" in done.stderr
    assert "oh" in done.stderr


def test_the_example_of_a_real_bench_in_the_documents_is_valid(tmp_path: Path) -> None:
    text = (SOURCE / "harness/bench/docs/files.md").read_text()
    (tmp_path / "desk.yaml").write_text(text.rsplit("```yaml\n", 1)[1].split("```")[0].replace("board: lamp", "board: lamp.yaml"))
    (tmp_path / "lamp.yaml").write_text("board: lamp\n")
    done = hilcop("check", "desk.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_watching_a_dut_that_nobody_uses_says_so(tmp_path: Path) -> None:
    done = hilcop("console", "board1", "--watch", "-b", "virtual", folder=tmp_path)
    assert done.returncode == 3
    assert "nobody is using it now" in done.stderr
    assert hilcop("console", "board9", "--watch", "-b", "virtual", folder=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("driver: serial", "give 'port' or 'usb'"),
        ("driver: serial, port: /dev/ttyX, usb: { serial: A }", "both 'port' and 'usb' are given"),
        ("driver: serial, usb: {}", "'usb' is empty"),
        ("driver: serial, usb: { vid_pid: '0403' }", "four hexadecimal digits"),
        ("driver: rfc2217, host: h", "port"),
        ("driver: command-console, program: ssh, secrets: [a]", "secrets"),
        ("driver: serial, port: /dev/ttyX, baud: fast", "baud"),
        ("driver: serial, port: /dev/ttyX, parity: sometimes", "none, odd, even, mark, space"),
        ("driver: modbus-relay, host: h, port: 70000", "65535"),
        ("driver: modbus-relay, host: h, prot: 502", "port"),
        ("driver: relayboard", "modbus-relay"),
    ],
)
def test_a_wrong_key_of_a_driver_is_named_with_what_is_right(keys: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(f"bench: x\ninstruments:\n  i: {{ {keys} }}\nduts: {{}}\n")
    done = hilcop("check", "x.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "x.yaml:3:" in done.stderr + done.stdout
    assert says in done.stderr + done.stdout
