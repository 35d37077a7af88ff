# SPDX-License-Identifier: Apache-2.0
"""What an owner does with a unit: set up, log in."""

from __future__ import annotations

from typing import Any

from machine import Machine

PASSWORD = "warm and cosy 1"
WIFI = {"ssid": "canary-net", "key": "canary-wifi-key-5521"}


def set_up(machine: Machine, **more: Any) -> str:
    body = {"secret": machine.record["setup_secret"], "password": PASSWORD, "wifi": WIFI, **more}
    status, said = machine.ask("POST", "/api/setup", body)
    assert status == 201, said
    return log_in(machine)


def log_in(machine: Machine) -> str:
    status, said = machine.ask("POST", "/api/login", {"password": PASSWORD})
    assert status == 200, said
    return said["token"]


def unlock(machine: Machine) -> None:
    """A root shell on the console, as the lab has it."""
    machine.type(f"unlock {machine.record['debug_unlock']}\r")
    machine.expect("^ht1# ")


def run(machine: Machine, command: str, seconds: float = 60) -> str:
    """What a command printed in the unlocked console."""
    machine.type(f"{command}; echo over-$?\r")
    begin = machine.seen
    end = machine.expect(r"^over-(\d+)$", seconds)
    lines = machine.console[begin : end.start()].splitlines()
    assert end.group(1) == "0", lines
    return "\n".join(lines[1:])
