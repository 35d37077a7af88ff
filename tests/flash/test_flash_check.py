# SPDX-License-Identifier: Apache-2.0
"""What hilcop check and list say of flash: lists and of storage."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest
from conftest import PROGRAM, Rig


@pytest.mark.parametrize(
    ("board", "says"),
    [
        ("flash: [{ name: a }]", "'a' says no route: give one of storage, uboot"),
        ("flash: [{ name: a, storage: {}, dfu: { device: '1:2', alt: x } }]", "'a' has the route 'storage' already"),
        ("flash: [{ name: a, storage: {} }, { name: a, storage: {} }]", "two parts are named 'a'"),
        ("flash: [{ name: a, command: { run: [] } }]", "is empty"),
        ("flash: [{ name: a, command: { run: ['{what}'] } }]", "wants a value for {what}"),
        ("flash: [{ name: a, uboot: { address: 0, memory_bytes: 1, load: tftp } }]", "wants a value for {tftp_dir}"),
        ("flash: [{ name: a, uboot: { address: 0 } }]", "'memory_bytes' is missing"),
        ("flash: [{ name: a, uboot: { address: 0, memory_bytes: 1, read: [x] } }]", "there is no `write:` that it could verify"),
        ("flash: [{ name: a, openocd: { config: [x.cfg], setup: ['adapter speed 1000', 'echo {dut}'] } }]", "openocd would take any"),
        ("dump: [{ name: a, openocd: { after: ['echo {serial}'], address: 0, length_bytes: 1 } }]", "openocd would take any"),
        ("flash: [{ name: a, openocd: { setup: ['adapter serial {probe_serial}'] } }]", "wants a value for {probe_serial}"),
        ("dump: [{ name: a, fastboot: { partition: x } }]", "fastboot"),
        ("flash: [{ name: a, power: sometimes, storage: {} }]", "none of its choices"),
    ],
)
def test_check_finds_what_is_wrong_with_a_flash_list(board: str, says: str, rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text(f"board: b\n{board}\n")
    done = rig.hilcop("check", "bench.yaml")
    assert done.returncode == 2, done.stdout
    assert says in done.stderr, done.stderr


@pytest.mark.parametrize("keys", ["setup: ['adapter serial {serial}']", "config: ['{usb_path}.cfg']", "any_adapter: true"])
def test_check_is_content_with_an_adapter_that_is_chosen(keys: str, rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text(f"board: b\nflash: [{{ name: a, openocd: {{ {keys} }} }}]\n")
    (rig.folder / "bench.yaml").write_text(
        "bench: b\ninstruments: {}\nduts: { d: { board: board.yaml, flash_values: { serial: S1, usb_path: 1-1 } } }\n"
    )
    done = rig.hilcop("check", "bench.yaml")
    assert done.returncode == 0, done.stderr


def test_braces_of_a_prompt_are_the_patterns_own(rig: Rig) -> None:
    keys = "uboot: { address: 0, memory_bytes: 1, prompt: '=>{2} $' }"
    (rig.folder / "board.yaml").write_text(f"board: b\nflash: [{{ name: a, {keys} }}]\n")
    done = rig.hilcop("check", "bench.yaml")
    assert done.returncode == 0, done.stderr


def test_check_refuses_a_storage_that_is_none_or_is_given_twice(rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text("board: b\n")
    (rig.folder / "bench.yaml").write_text(
        "bench: b\ninstruments:\n  relay: { driver: modbus-relay, host: h }\n"
        "  card: { driver: usb-storage, usb_path: 1-1, serial: S, max_bytes: 1000000 }\n"
        "duts:\n  a: { board: board.yaml, storage: { main: { instrument: card, mux: { instrument: relay, channel: 1 } } } }\n"
        "  b: { board: board.yaml, storage: { main: { instrument: card }, x: { instrument: relay }, y: { instrument: crad } } }\n"
    )
    done = rig.hilcop("check", "bench.yaml")
    assert done.returncode == 2
    assert "duts.b.storage.main.instrument: 'card' is already duts.a.storage.main" in done.stderr, done.stderr
    assert "'relay' (driver modbus-relay) is no storage" in done.stderr
    assert "'crad' is no instrument of this bench (did you mean 'card'?)" in done.stderr


def test_a_disk_that_is_not_there_is_said_with_what_is(rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text("board: b\nflash: [{ name: card, image: image.bin, storage: {} }]\n")
    (rig.folder / "bench.yaml").write_text(
        "bench: b\ninstruments: { card: { driver: usb-storage, usb_path: 9-9.9, serial: S, max_bytes: 1000000 } }\n"
        "duts: { d: { board: board.yaml, storage: { main: { instrument: card, appear_s: 0.2 } } } }\n"
    )
    done = rig.hilcop("flash", "d")
    assert done.returncode == 3
    assert "there is no USB device at 9-9.9" in done.stderr
    assert "USB disks of this host: " in done.stderr


def test_list_says_who_has_a_storage(rig: Rig) -> None:
    (rig.folder / "board.yaml").write_text("board: b\nflash: [{ name: card, image: image.bin, storage: {} }]\n")
    (rig.folder / "bench.yaml").write_text(
        "bench: b\ninstruments: { card: { driver: usb-storage, usb_path: 9-9.9, serial: S, max_bytes: 1000000 } }\n"
        "duts: { d: { board: board.yaml, storage: { main: { instrument: card, appear_s: 30 } } } }\n"
    )
    card = {"name": "card", "driver": "usb-storage", "identity": "usb-storage:9-9.9/S", "channels": [], "held_by": None}
    assert json.loads(rig.hilcop("list", "--json").stdout)["instruments"] == [card]
    process = subprocess.Popen([PROGRAM, "flash", "d"], cwd=rig.folder, env=rig.environment, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 20
    while (held := json.loads(rig.hilcop("list", "--json").stdout)["instruments"][0]["held_by"]) is None and time.monotonic() < end:
        pass
    assert held["pid"] == process.pid
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130
