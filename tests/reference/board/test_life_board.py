# SPDX-License-Identifier: Apache-2.0
"""A unit's life on the board: made, set up, used, locked, reset."""

from __future__ import annotations

from collections.abc import Callable

from life import PASSWORD, log_in, set_up
from machine import Machine


def test_units_of_one_image_have_no_secret_in_common(new_machine: Callable[..., Machine]) -> None:
    first, second = new_machine(), new_machine()
    for name in ("setup_secret", "debug_unlock", "tls_sha256", "device_sha256", "device_public_key", "mac", "serial"):
        assert first.record[name] != second.record[name], name


def test_it_is_set_up_with_the_secret_of_its_label_and_remembers(machine: Machine) -> None:
    machine.on()
    machine.ready()
    wrong = {"secret": "WRONGWRONG22", "password": PASSWORD, "wifi": {"ssid": "x", "key": "12345678"}}
    assert machine.ask("POST", "/api/setup", wrong)[0] == 403
    assert machine.ask("GET", "/api/state")[0] == 401
    token = set_up(machine)
    status, state = machine.ask("GET", "/api/state", token=token)
    assert status == 200
    assert (state["version"], state["slot"]) == ("1.1.0", "A")
    user = {"name": "Ada Canary", "email": "ada@canary.example", "device_name": "hall"}
    assert machine.ask("PUT", "/api/user", user, token)[0] in (200, 204)
    machine.off()  # a power cut right after it was acknowledged
    machine.on()
    machine.ready()
    assert machine.ask("GET", "/api/info")[1]["setup"] == "done"
    assert machine.ask("GET", "/api/state", token=token)[0] == 401, "a session does not outlive a restart"
    assert machine.ask("GET", "/api/user", token=log_in(machine))[1] == user
    disk = (machine.unit / "main.raw").read_bytes()
    for canary in (b"canary-wifi-key-5521", b"Ada Canary", PASSWORD.encode()):
        assert canary not in disk, canary


def test_guessing_is_throttled_also_over_a_power_cut(machine: Machine) -> None:
    machine.on()
    machine.ready()
    set_up(machine)
    answers = [machine.ask("POST", "/api/login", {"password": f"wrong-password-{n}"})[0] for n in range(6)]
    assert answers == [401] * 5 + [429]
    machine.off()
    machine.on()
    machine.ready()
    assert machine.ask("POST", "/api/login", {"password": PASSWORD})[0] == 429


def test_the_console_is_closed_but_for_the_units_own_secret(machine: Machine) -> None:
    machine.on()
    machine.ready()
    machine.type("unlock WRONGWRONGWRONG2\r")
    machine.type("root\rid\r")
    machine.listen(2)
    assert "ht1#" not in machine.console
    machine.type(f"unlock {machine.record['debug_unlock']}\r")
    machine.expect("^ht1# ")
    machine.type("ls -ln /proc/*/exe | grep thermostatd; id -u\r")
    user = machine.expect(r"^l\S+ +1 (\d+) +\d+ .*-> /usr/bin/thermostatd$").group(1)
    assert user == "100", "the daemon is no root"
    machine.expect("^0$")
