# SPDX-License-Identifier: Apache-2.0
"""What runs on the device beside its API: no telnet, and a watchdog. Units with a flaw run beside a sound one."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from machine import Machine

NewMachine = Callable[..., Machine]
READY = "^HT-1: READY version"
NET = r"^HT-1: net 10\."  # what comes earlier nobody can reach


def root_by_telnet(machine: Machine) -> bool:
    """Whether port 23 gives a root shell now. Of a port that nobody listens on QEMU's network accepts, and closes."""
    try:
        with socket.create_connection(("127.0.0.1", machine.ports[23]), timeout=5) as line:
            line.sendall(b"echo root-$(id -u)-$((6*7))\r\n")
            heard = b""
            while b"root-0-42" not in heard:
                more = line.recv(4096)
                if not more:
                    return False
                heard += more
    except OSError:
        return False
    return True


def comes(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_telnet_is_there_only_with_its_flaws(new_machine: NewMachine) -> None:
    sound = new_machine(ports=(23,))
    starting = new_machine("--flaws", "telnet-during-boot", ports=(23,))
    opened = new_machine("--flaws", "telnet-open", ports=(23,))
    starting.on()
    starting.expect(NET)
    assert comes(lambda: root_by_telnet(starting), 10), f"no telnet while it starts\n{starting.console}"
    starting.expect(READY)
    assert comes(lambda: not root_by_telnet(starting), 10), "it is still there"
    starting.off()
    for machine in (sound, opened):
        machine.on()
    for machine in (sound, opened):
        machine.expect(NET)
    while "HT-1: READY version" not in sound.console:
        assert not root_by_telnet(sound)
        sound.hear(0.1)
    assert comes(lambda: root_by_telnet(opened), 10), "the control: telnet is seen where there is one"
    assert not root_by_telnet(sound)
    assert sound.ask("GET", "/api/info")[0] == 200


def hung(machine: Machine) -> None:
    machine.expect(READY)
    machine.type(f"unlock {machine.record['debug_unlock']}\r")
    machine.expect("^ht1# ")
    machine.type("kill -STOP $(pidof thermostatd); echo stopped-$((6*7))\r")
    machine.expect("^stopped-42$")


@pytest.mark.full
def test_a_stuck_daemon_is_ended_by_the_watchdog_unless_it_is_off(new_machine: NewMachine) -> None:
    sound, flawed = new_machine(), new_machine("--flaws", "watchdog-off")
    for machine in (flawed, sound):
        machine.on()
    for machine in (flawed, sound):  # so that the flawed one has longer to recover in
        hung(machine)
    sound.expect("U-Boot 20", 30)
    sound.expect(READY)
    assert sound.ask("GET", "/api/info")[0] == 200
    flawed.listen(0)
    assert "U-Boot 20" not in flawed.console[flawed.seen :], "it started anew"
    flawed.type("for pid in $(pidof thermostatd); do grep State: /proc/$pid/status; done\r")
    flawed.expect(r"^State:\s+T ")
