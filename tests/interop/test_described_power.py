# SPDX-License-Identifier: Apache-2.0
"""Switches that lab-config describes: by HTTP templates, and by commands (curl). The devices are those of test_network_power.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from http_devices import Device, EspHome, Fault, Shelly, ShellyGen1, Tasmota
from network_power import Bench

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
SECRET = "s3cret-&/+"


def shelly_rpc(device: Device) -> str:
    """A JSON frame POSTed to a digest-protected device."""

    def frame(on: str) -> str:
        return f'{{ target: /rpc, method: POST, body: \'{{"id":1,"method":"Switch.Set","params":{{"id":{{channel}},"on":{on}}}}}\' }}'

    return (
        f"{{ driver: http, host: 127.0.0.1, port: {device.port}, channels: ['0', '1'], login: digest, user: admin, password_file: secret, "
        f"headers: {{ Content-Type: application/json }}, accepted: was_on, switch_on: {frame('true')}, switch_off: {frame('false')}, "
        "state: { target: '/rpc/Switch.GetStatus?id={channel}', pointer: /output, is_on: '^true$', is_off: '^false$' } }"
    )


def shelly_gen1(device: Device, state: str) -> str:
    return (
        f"{{ driver: http, host: 127.0.0.1, port: {device.port}, channels: ['0', '1'], "
        "switch_on: { target: '/relay/{channel}?turn=on' }, "
        f"switch_off: {{ target: '/relay/{{channel}}?turn=off' }}{state} }}"
    )


def curl_to_tasmota(device: Device) -> str:
    def call(argument: str) -> str:
        return f"[curl, -sS, --fail, --noproxy, '*', 'http://{device.address}/cm?cmnd=Power{{channel}}{argument}']"

    state = f'{{ command: {call("")}, is_on: \'"POWER.?": "ON"\', is_off: \'"POWER.?": "OFF"\' }}'
    return f"{{ driver: command, channels: ['1', '2'], switch_on: {call('%20On')}, switch_off: {call('%20Off')}, state: {state} }}"


def works_and_finds_a_lie(device: Device, bench: Bench, relay: int) -> None:
    with bench.held_on():
        assert device.on[relay]
        assert not device.on[1 - relay]
    assert not device.on[relay], "left powered"
    assert bench.power("off").stdout == "off, verified by read-back\n"
    with bench.held_on():
        device.fault = Fault.LIES
    done = bench.power("off")
    assert done.returncode == 3
    assert "verified" not in done.stdout
    assert "reads back" in done.stderr


def test_http_templates_post_frames_with_a_digest_login(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with Shelly(2, password=SECRET) as device, Bench(tmp_path, shelly_rpc(device)) as bench:
        works_and_finds_a_lie(device, bench, 1)


def test_http_templates_read_a_state_by_regex(tmp_path: Path) -> None:
    state = ", state: { target: '/relay/{channel}', is_on: '\"ison\": true', is_off: '\"ison\": false' }"
    with ShellyGen1(2) as device, Bench(tmp_path, shelly_gen1(device, state)) as bench:
        works_and_finds_a_lie(device, bench, 1)


PDUDAEMON = """
import sys
from pdudaemon.drivers.esphome import ESPHomeHTTP
plug = ESPHomeHTTP(sys.argv[1], {"username": "admin", "password": sys.argv[2], "switch_ids": ["relay"]})
for action in ("on", "off", "on"):
    plug.handle(action, 1)
"""


def test_http_templates_drive_an_esphome_that_pdudaemon_drives(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with EspHome(password=SECRET) as device:
        command = ["/usr/bin/python3", "-c", PDUDAEMON, device.address, SECRET]
        subprocess.run(command, check=True, timeout=60, capture_output=True)
        assert device.switched == [(0, True), (0, False), (0, True)]
        example = yaml.safe_load((SOURCE / "lab-config/examples/network-power.yaml").read_text())["instruments"]["esphome"]
        example.update(host="127.0.0.1", port=device.port, password_file="secret")
        with Bench(tmp_path, json.dumps(example), channel="relay") as bench:
            assert bench.power("off").stdout == "off, verified by read-back\n"
            with bench.held_on():
                assert device.on == [True]
                device.fault = Fault.LIES
            assert "reads back" in bench.power("off").stderr


def test_http_templates_without_state_verify_nothing(tmp_path: Path) -> None:
    with ShellyGen1(2) as device, Bench(tmp_path, shelly_gen1(device, "")) as bench:
        assert bench.power("off").stdout == "off\n"
        assert bench.power("status").stdout == "unknown\n"


def test_commands_drive_a_plug(tmp_path: Path) -> None:
    with Tasmota(2) as device, Bench(tmp_path, curl_to_tasmota(device)) as bench:
        works_and_finds_a_lie(device, bench, 0)


def test_a_command_that_fails_shows_what_it_printed(tmp_path: Path) -> None:
    with Tasmota(2) as device, Bench(tmp_path, curl_to_tasmota(device)) as bench:
        device.fault = Fault.FAILS
        done = bench.power("off")
        assert done.returncode == 3
        assert "exit status 22" in done.stderr
        assert "The requested URL returned error: 500" in done.stderr


def test_what_is_the_same_request_for_two_channels_is_refused(tmp_path: Path) -> None:
    with (
        ShellyGen1(2) as device,
        Bench(tmp_path, shelly_gen1(device, "").replace("/relay/{channel}?turn=off", "/relay/0?turn=off")) as bench,
    ):
        done = bench.power("off")
        assert done.returncode == 2
        assert "the same request for each of its channels" in done.stderr
