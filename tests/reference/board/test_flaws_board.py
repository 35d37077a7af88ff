# SPDX-License-Identifier: Apache-2.0
"""Flaws that show on the board alone: each really does what the table says, and a sound unit does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from forged import CURRENT, wrongly_signed
from machine import Machine

NewMachine = Callable[..., Machine]


def test_the_set_up_secret_is_the_mac_addresss(new_machine: NewMachine) -> None:
    def derived(machine: Machine) -> bool:
        return machine.record["setup_secret"] == hashlib.md5(machine.record["mac"].encode(), usedforsecurity=False).hexdigest()[:12].upper()

    assert derived(new_machine("--flaws", "password-from-mac"))
    assert not derived(new_machine())


def test_all_units_have_one_tls_key(new_machine: NewMachine) -> None:
    def keys(*words: str) -> set[str]:
        return {new_machine(*words).record["tls_key_sha256"] for _ in range(2)}

    assert len(keys("--flaws", "same-tls-key")) == 1
    assert len(keys()) == 2


def test_a_wrongly_signed_image_starts(new_machine: NewMachine, tmp_path: Path) -> None:
    machine = new_machine("--flaws", "boot-unverified")
    fit = tmp_path / "forged.itb"
    fit.write_bytes(CURRENT.read_bytes())
    wrongly_signed(fit, tmp_path)
    machine.put("slot-a", fit.read_bytes())
    machine.on()
    machine.expect(r"^HT-1: READY version 1\.1\.0 slot A$")


def test_the_boot_loader_gives_its_prompt(new_machine: NewMachine) -> None:
    machine = new_machine("--flaws", "uboot-prompt-open")
    for slot in ("slot-a", "slot-b", "recovery"):
        machine.put(slot, b"")
    machine.on()
    machine.expect("NO VALID SOFTWARE")
    machine.type("\x03")
    machine.expect("^=> ")


def test_the_console_is_a_root_shell(new_machine: NewMachine) -> None:
    machine = new_machine("--flaws", "console-shell-open")
    machine.on()
    machine.expect("^HT-1: READY version")
    machine.type("id -u\r")
    machine.expect("^0$")


@pytest.mark.parametrize("flawed", [True, False])
def test_a_script_on_the_data_partition_is_run(flawed: bool, new_machine: NewMachine) -> None:
    machine = new_machine("--flaws", "boot-script-on-data") if flawed else new_machine()
    machine.on()
    machine.expect("^HT-1: READY version")
    machine.type(f"unlock {machine.record['debug_unlock']}\r")
    machine.expect("^ht1# ")
    machine.type("echo 'echo planted-$((6*7)) >/dev/console' >/data/boot.sh; sync; echo written\r")
    machine.expect("^written$")
    machine.off()
    machine.on()
    machine.expect("^HT-1: READY version")
    assert ("planted-42" in machine.console) == flawed


@pytest.mark.parametrize("flawed", [True, False])
def test_the_wifi_key_is_printed(flawed: bool, new_machine: NewMachine) -> None:
    machine = new_machine("--flaws", "wifi-key-in-log") if flawed else new_machine()
    machine.on()
    machine.expect("^HT-1: READY version")
    wifi = {"ssid": "canary-net", "key": "canary-wifi-key-7301"}
    body = {"secret": machine.record["setup_secret"], "password": "warm and cosy 1", "wifi": wifi}
    assert machine.ask("POST", "/api/setup", body)[0] == 201
    machine.listen(1)
    assert ("canary-wifi-key-7301" in machine.console) == flawed
