# SPDX-License-Identifier: Apache-2.0
"""`hilcop list` on a bench in use: what is on, who holds it, what is there; and it changes nothing by looking. Power-ons on one supply."""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

from conftest import until

PROGRAM = os.environ["HILCOP_PROGRAM"]

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Rig

SUPPLY = """
bench: relays
supplies: {{ mains: {{ stagger_ms: {stagger} }} }}
instruments:
  relay: {{ driver: modbus-relay, host: 127.0.0.1, port: {port} }}
  gone: {{ driver: serial, port: /dev/ttyNOSUCH7 }}
  there: {{ driver: serial, port: {pty} }}
duts:
  a:
    board: plain.yaml
    power: {{ instrument: relay, channel: '1', supply: mains }}
    consoles: {{ main: {{ instrument: there, channel: c }} }}
  b: {{ board: plain.yaml, power: {{ instrument: relay, channel: '2', supply: mains }} }}
  c: {{ board: plain.yaml, serial_number: C-3 }}
"""


def looks(rig: Rig, bench: str = "bench.yaml") -> dict[str, Any]:
    done = rig.hilcop("list", "-b", bench, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def by_name(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in entries}


def on_supply(rig: Rig, stagger_ms: int) -> Path:
    file = rig.folder / "supply.yaml"
    file.write_text(SUPPLY.format(port=(rig.folder / "port").read_text().strip(), stagger=stagger_ms, pty="/dev/null"))
    return file


def test_a_keeper_that_does_not_answer_is_no_keeper_that_does_not_run(rig: Rig) -> None:
    (rig.folder / "runtime").mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(rig.folder / "runtime" / "keeper.sock"))
        silent.listen()
        done = rig.hilcop("list", "-b", "bench.yaml")
    assert done.returncode == 3
    assert "did not answer" in done.stderr
    assert "nobody" not in done.stdout


def test_nothing_is_held_and_no_keeper_is_started(rig: Rig) -> None:
    state = looks(rig)
    assert state["keeper"] == "does not run"
    assert {dut["power"]["state"] for dut in state["duts"]} == {"unknown"}
    assert not any(dut["held_by"] for dut in state["duts"])
    assert state["held"] == []
    assert not (rig.folder / "runtime" / "keeper.sock").exists()


def test_what_is_on_is_shown_with_its_holder_and_nothing_is_switched(rig: Rig) -> None:
    holder = rig.start(PROGRAM, "power", "a", "on", "-b", "bench.yaml")
    assert rig.becomes("10000000", 20)
    assert until(lambda: by_name(looks(rig)["duts"])["a"]["power"]["state"] == "on", 10)
    state = looks(rig)
    dut = by_name(state["duts"])["a"]
    assert dut["held_by"]["pid"] == holder.pid
    assert dut["held_by"]["holder"] == "dut a (hilcop power on)"
    assert dut["held_by"]["since"].startswith("20")
    assert by_name(state["duts"])["b"]["held_by"] is None
    channel = by_name(state["instruments"])["relay"]["channels"][0]
    assert (channel["channel"], channel["on"], channel["switch_count"], channel["held_by"]["pid"]) == ("1", True, 1, holder.pid)
    lines = rig.hilcop("list", "-b", "bench.yaml").stdout.splitlines()
    line = next(line for line in lines if line.startswith("  a "))
    assert "on " in line
    assert f"dut a (hilcop power on), pid {holder.pid}, since 20" in line
    columns = [line.index("plain") for line in lines if "plain" in line]
    assert len(set(columns)) == 1, "aligned"
    assert rig.switchings() == ["1 on"]
    holder.send_signal(signal.SIGINT)
    assert holder.wait(20) == 0
    assert by_name(looks(rig)["duts"])["a"]["power"]["state"] == "off"
    assert rig.switchings() == ["1 on", "1 off"]


def test_serial_ports_are_looked_at_and_not_opened(rig: Rig) -> None:
    ours, port = os.openpty()
    text = on_supply(rig, 0).read_text().replace("/dev/null", os.ttyname(port))
    (rig.folder / "supply.yaml").write_text(text)
    state = by_name(looks(rig, "supply.yaml")["instruments"])
    assert (state["gone"]["there"], state["gone"]["accessible"]) == (False, False)
    assert "No such file" in state["gone"]["problem"]
    assert (state["there"]["there"], state["there"]["accessible"], state["there"]["problem"]) == (True, True, "")
    assert f"(pid {os.getpid()})" in state["there"]["open_by"]
    shown = rig.hilcop("list", "-b", "supply.yaml").stdout
    assert "is not there: No such file or directory" in shown
    os.close(port)
    os.close(ours)


def test_an_adapter_that_is_chosen_by_what_it_is_is_said_not_to_be_there(rig: Rig) -> None:
    (rig.folder / "usb.yaml").write_text(
        "bench: usb\ninstruments:\n  relay: { driver: numato-relay, usb: { serial: NOBODY }, channels: 2 }\n"
        "  line: { driver: modbus-relay, serial: /dev/null }\nduts: {}\n"
    )
    state = by_name(looks(rig, "usb.yaml")["instruments"])
    assert state["relay"]["there"] is False
    assert "no serial port of this host fits" in state["relay"]["problem"]
    assert state["line"].get("there") is not False, "its port is there, whatever unit of the line it is"


def test_two_programs_on_one_supply_are_switched_on_one_after_the_other(rig: Rig) -> None:
    on_supply(rig, 5000)
    (rig.folder / "alone.yaml").write_text(
        (rig.folder / "supply.yaml").read_text().replace("    consoles: { main: { instrument: there, channel: c } }\n", "")
    )
    first = rig.start(PROGRAM, "power", "a", "on", "-b", "alone.yaml")
    second = rig.start(PROGRAM, "power", "b", "on", "-b", "alone.yaml")
    # What the keeper switched before is unknown to it: one of the two waits for 5 s at least, the other for 10 s.
    assert until(lambda: looks(rig, "alone.yaml")["supplies"][0]["waiting"] != [], 20)
    supply = looks(rig, "alone.yaml")["supplies"][0]
    assert (supply["name"], supply["stagger_ms"], supply["duts"]) == ("mains", 5000.0, ["a", "b"])
    assert rig.becomes("11000000", 40)
    moments = [int(line.split()[0]) for line in (rig.folder / "log").read_text().splitlines()]
    assert moments[1] - moments[0] >= 4_990_000_000  # noted by the relay board itself, before it answers
    for process in (first, second):
        assert process.stdout is not None
        assert process.stdout.readline().startswith("on; held")  # it knows what the relay board shows already
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert rig.coils() == "00000000"


def test_ctrl_c_while_it_waits_for_its_supply_switches_nothing(rig: Rig) -> None:
    on_supply(rig, 60_000)
    (rig.folder / "alone.yaml").write_text(
        (rig.folder / "supply.yaml").read_text().replace("    consoles: { main: { instrument: there, channel: c } }\n", "")
    )
    waiter = rig.start(PROGRAM, "power", "a", "on", "-b", "alone.yaml")
    assert until(lambda: looks(rig, "alone.yaml")["supplies"][0]["waiting"] == ["a"], 20)
    assert "waits to be switched on" in rig.hilcop("list", "-b", "alone.yaml").stdout
    waiter.send_signal(signal.SIGINT)
    assert waiter.wait(10) == 130
    assert looks(rig, "alone.yaml")["supplies"][0]["waiting"] == []
    assert rig.switchings() == []
