# SPDX-License-Identifier: Apache-2.0
"""The device and its maker's real cloud: nothing before set-up, registration, telemetry with consent, erasure, coming back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import NewDevice, NewUnit
from ht1 import PASSWORD, Device, Unit
from running import Authority, Cloud, until


def states(cloud: Cloud, unit: Unit) -> list[Any]:
    return [json.loads(line["body"]) for line in cloud.received("mqtt", topic=f"ht1/{unit.serial}/state") if line["body"]]


def readings(cloud: Cloud, unit: Unit) -> list[dict[str, Any]]:
    return cloud.received("mqtt", topic=f"ht1/{unit.serial}/telemetry")


def registrations(cloud: Cloud, unit: Unit) -> list[dict[str, Any]]:
    return cloud.received("https", method="POST", path="/v1/register", certificate=unit.serial)


def online(cloud: Cloud, unit: Unit) -> bool:
    held = states(cloud, unit)
    return bool(held) and held[-1] == {"online": True, "version": "1.1.0", "slot": "A"}


def cloud_state(device: Device, owner: str) -> str:
    return str(device.ask("GET", "/api/state", token=owner)[1]["cloud"])


def metronome(cloud: Cloud, unit: Unit) -> Callable[[int], None]:
    """A unit that sends a reading each second, asked or not: its ticks are how an absence of another's is bounded."""

    def pass_ticks(count: int) -> None:
        before = len(readings(cloud, unit))
        assert until(lambda: len(readings(cloud, unit)) >= before + count), "the metronome stands still"

    return pass_ticks


def test_nothing_before_set_up_then_registration_and_telemetry_by_consent(cloud: Cloud, new_unit: NewUnit, new_device: NewDevice) -> None:
    ports = {"cloud": cloud.port, "mqtt": cloud.mqtt_port}
    sound, ticking = new_unit(), new_unit("telemetry-before-consent")
    device = new_device(sound, **ports)
    device.port()
    new_device(ticking, **ports)
    ticks = metronome(cloud, ticking)
    # A daemon calls within 2 s of its start; the other one started later.
    ticks(3)
    assert {line["certificate"] for line in cloud.received("https")} == {ticking.serial}
    assert sound.serial not in (cloud.folder / "received.jsonl").read_text()

    owner = device.set_up()
    assert until(lambda: online(cloud, sound))
    [registration] = registrations(cloud, sound)
    assert json.loads(registration["body"]) == {"serial": sound.serial, "model": "HT-1", "version": "1.1.0"}
    assert json.loads((cloud.folder / "units" / sound.serial / "unit.json").read_text())["serial"] == sound.serial
    assert sound.record("token") not in (cloud.folder / "received.jsonl").read_text()
    assert until(lambda: cloud_state(device, owner) == "up")
    ticks(2)
    assert not readings(cloud, sound), "nobody agreed to that"

    assert device.ask("PUT", "/api/consent", {"telemetry": True}, owner)[0] == 200
    assert until(lambda: len(readings(cloud, sound)) >= 2)
    assert set(json.loads(readings(cloud, sound)[0]["body"])) == {"temperature", "heating", "uptime_s", "version"}

    assert device.ask("PUT", "/api/consent", {"telemetry": False}, owner)[0] == 200
    ticks(1)  # what was under way has arrived
    held = len(readings(cloud, sound))
    ticks(2)
    assert len(readings(cloud, sound)) == held
    assert cloud_state(device, owner) == "up", "it only lost its line"
    assert device.stop() == 0


def test_an_erase_removes_the_unit_at_the_cloud_and_ends_its_token(cloud: Cloud, new_unit: NewUnit, new_device: NewDevice) -> None:
    unit = new_unit()
    device = new_device(unit, cloud=cloud.port, mqtt=cloud.mqtt_port)
    owner = device.set_up()
    assert until(lambda: online(cloud, unit))
    token, topic = unit.record("token"), f"ht1/{unit.serial}/telemetry"
    assert cloud.publish(unit.serial, token, topic, "by hand").returncode == 0
    kept = cloud.folder / "units" / unit.serial
    assert until((kept / "telemetry.jsonl").exists)

    assert device.ask("POST", "/api/erase", {"password": PASSWORD}, owner)[0] == 202
    assert device.process.wait(30) == 64
    assert cloud.received("https", method="POST", path="/v1/erase", certificate=unit.serial)
    assert not kept.exists()
    assert "Not authorized" in cloud.publish(unit.serial, token, topic, "by hand again").stderr
    erase = ["-H", f"Authorization: Bearer {token}", "-X", "POST"]
    assert cloud.ask("https://cloud.ht1.example/v1/erase", *erase)[0] == 401
    assert not (unit.sealed / "token").exists()

    # Its next owner's token is another one.
    again = new_device(unit, cloud=cloud.port, mqtt=cloud.mqtt_port)
    assert again.ask("GET", "/api/info")[1] == {"model": "HT-1", "setup": "open"}
    again.set_up()
    assert until((unit.sealed / "token").exists)
    assert unit.record("token") != token


def test_it_finds_its_cloud_again(authority: Authority, tmp_path: Path, new_unit: NewUnit, new_device: NewDevice) -> None:
    cloud = Cloud(tmp_path / "cloud", authority)
    same_place = ("--port", str(cloud.port), "--mqtt-port", str(cloud.mqtt_port))
    assert cloud.stop() == 0
    unit = new_unit()
    device = new_device(unit, cloud=cloud.port, mqtt=cloud.mqtt_port)
    owner = device.set_up()
    assert until(lambda: "HTTPS to https://cloud.ht1.example/v1/register" in device.console), "it did not try"
    assert cloud_state(device, owner) == "down"

    cloud = Cloud(tmp_path / "cloud", authority, *same_place)
    assert until(lambda: online(cloud, unit)), "HTTPS came, and it did not"
    assert until(lambda: cloud_state(device, owner) == "up")
    token = unit.record("token")
    assert cloud.stop() == 0
    assert until(lambda: cloud_state(device, owner) == "down")

    known = len(states(cloud, unit))
    cloud = Cloud(tmp_path / "cloud", authority, *same_place)
    try:
        assert until(lambda: len(states(cloud, unit)) > known and online(cloud, unit)), "the broker came back, and it did not"
        assert unit.record("token") == token
        assert len(registrations(cloud, unit)) == 1
    finally:
        assert cloud.stop() == 0


def test_one_that_is_switched_off_in_order_says_so(cloud: Cloud, new_unit: NewUnit, new_device: NewDevice) -> None:
    """A broker publishes a last will for those alone that it lost."""
    unit = new_unit().owned()
    device = new_device(unit, cloud=cloud.port, mqtt=cloud.mqtt_port)
    assert until(lambda: online(cloud, unit))
    assert device.stop() == 0
    assert until(lambda: states(cloud, unit)[-1] == {"online": False})


def looks(cloud: Cloud, since: int) -> int:
    return len(cloud.received("https", path="/v1/update/HT-1.json")) - since


def test_a_unit_in_recovery_asks_less_and_less_often(cloud: Cloud, new_unit: NewUnit, new_device: NewDevice) -> None:
    """The maker's answer is that there is nothing; a unit of which nothing starts is one of many on the day of a bad update."""
    before, begin = looks(cloud, 0), time.monotonic()
    new_device(new_unit(), "--slot", "recovery", "--update-every", "1", cloud=cloud.port)
    assert until(lambda: looks(cloud, before) >= 4, 70)
    # Pauses of 5, 10 and 20 s, each less up to a half. Five seconds each time would be over after 15.
    assert time.monotonic() - begin > 17.4


def test_a_token_that_is_worth_nothing_is_replaced(cloud: Cloud, new_unit: NewUnit, new_device: NewDevice) -> None:
    """As after a cloud lost what it knew: the unit asks for another one by itself."""
    unit = new_unit().owned("of-another-life")
    device = new_device(unit, cloud=cloud.port, mqtt=cloud.mqtt_port)
    assert until(lambda: online(cloud, unit))
    assert unit.record("token") != "of-another-life"
    events = [event["event"] for event in device.ask("GET", "/api/log", token=device.login())[1]]
    assert [event for event in events if event in ("token-refused", "registered")] == ["token-refused", "registered"]
