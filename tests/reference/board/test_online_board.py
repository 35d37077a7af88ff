# SPDX-License-Identifier: Apache-2.0
"""A unit and its maker's cloud over a network: nothing before set-up, then registration and state; telemetry while its owner agrees."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from dump import owners_files
from life import PASSWORD, log_in, run, set_up, unlock
from machine import IMAGE, Machine, make_unit
from network import OURS, Cloud, Network
from update import looks

CALLS_WITHIN_S = 6  # of its start: it is made to call within 2
PERIOD_S = 2
ONLINE = {"online": True, "version": "1.1.0", "slot": "A"}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory, network: Network, cloud: Cloud) -> Iterator[Machine]:
    """One for all of this file, whose tests are its life. The cloud is there before it."""
    assert cloud.process.poll() is None
    folder = tmp_path_factory.mktemp("online") / "unit"
    make_unit(folder)
    machine = Machine(folder, network.tap())
    try:
        yield machine
    finally:
        machine.close()


def until(condition: Callable[[], Any], unit: Machine, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not in {seconds} s; the console said\n{unit.console}"
        unit.listen(0.1)


def arrived(cloud: Cloud, unit: Machine) -> list[str]:
    """All that the cloud ever had from this unit, by its name or its address."""
    mark = re.compile(rf"{unit.record['serial']}|\b{re.escape(unit.host)}\b")
    lines = (cloud.folder / "received.jsonl").read_text().splitlines()
    return [line for line in lines if mark.search(line)]


def asked_for(network: Network, unit: Machine) -> set[str]:
    """The names that it looked up."""
    words = [line.split() for line in (network.folder / "dnsmasq.log").read_text().splitlines() if line.endswith(f" from {unit.host}")]
    return {line[-3] for line in words}


def states(cloud: Cloud, unit: Machine) -> list[Any]:
    return [json.loads(line["body"]) for line in cloud.received("mqtt", topic=f"ht1/{unit.record['serial']}/state") if line["body"]]


def readings(cloud: Cloud, unit: Machine) -> list[dict[str, Any]]:
    return cloud.received("mqtt", topic=f"ht1/{unit.record['serial']}/telemetry")


def registrations(cloud: Cloud, unit: Machine) -> list[dict[str, Any]]:
    return cloud.received("https", method="POST", path="/v1/register", certificate=unit.record["serial"])


def state_of(unit: Machine, token: str) -> dict[str, Any]:
    return unit.ask("GET", "/api/state", token=token)[1]


def online(unit: Machine, token: str) -> None:
    until(lambda: state_of(unit, token)["cloud"] == "up", unit, "its cloud is up")


def token_of(unit: Machine, scratch: Path) -> str:
    """What the cloud gave it, as whoever has its flash and its fuses reads it."""
    files = owners_files(unit, scratch)
    key = HKDF(hashes.SHA256(), 32, files["sealed/.salt"], b"ht1 sealed store 1").derive((unit.unit / "fuses.raw").read_bytes()[:32])
    sealed = files["sealed/token"]
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], b"token").decode()


def late_subscriber(unit: Machine, token: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Another client than the unit, who comes when the message has long been sent: gets what was retained."""
    serial = unit.record["serial"]
    program = ["mosquitto_sub", "-h", OURS, "-p", "8883", "-u", serial, "-P", token, "-V", "5", "-t", f"ht1/{serial}/state"]
    program += ["--retained-only", "-C", "1", "-W", "20", "-F", "%r %p", *map(str, words)]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)


TLS = ("--cafile", IMAGE / "lab-ca/ca.crt", "--insecure")  # insecure: by address


def test_before_set_up_nothing_reaches_the_cloud(unit: Machine, cloud: Cloud, network: Network) -> None:
    unit.on()
    unit.ready()  # with an address of the network's DHCP
    unit.listen(CALLS_WITHIN_S)
    assert unit.ask("GET", "/api/info")[1]["setup"] == "open"
    assert arrived(cloud, unit) == []
    assert asked_for(network, unit) == set()
    # The control: it could have, and both would have been seen.
    unlock(unit)
    run(unit, f"busybox nslookup www.ht1.example {OURS} || true")  # no for the address of the other kind
    until(lambda: "www.ht1.example" in asked_for(network, unit), unit, "a name that was looked up by hand is seen")
    unit.type(f"echo by-hand | busybox nc -w 5 {OURS} 8883\r")
    until(lambda: arrived(cloud, unit), unit, "what was sent by hand is seen at the cloud")
    assert not registrations(cloud, unit)


def test_after_set_up_it_registers_and_its_state_is_kept(unit: Machine, cloud: Cloud, network: Network, tmp_path: Path) -> None:
    owner = set_up(unit, auto_update=False)
    until(lambda: states(cloud, unit), unit, "its state arrives")
    assert states(cloud, unit) == [ONLINE]
    serial = unit.record["serial"]
    [registration] = registrations(cloud, unit)
    assert registration["from"] == unit.host
    assert json.loads(registration["body"]) == {"serial": serial, "model": "HT-1", "version": "1.1.0"}
    assert json.loads((cloud.folder / f"units/{serial}/unit.json").read_text())["serial"] == serial
    assert {"cloud.ht1.example", "mqtt.ht1.example"} <= asked_for(network, unit)
    connected = [line["line"] for line in cloud.received("broker") if f"New client connected from {unit.host}:" in line["line"]]
    assert any(f"as {serial} " in line for line in connected), connected
    online(unit, owner)

    token = token_of(unit, tmp_path)
    assert token not in (cloud.folder / "received.jsonl").read_text()
    kept = late_subscriber(unit, token, *TLS)
    assert kept.returncode == 0, kept.stderr
    retained, _, text = kept.stdout.partition(" ")
    assert (retained, json.loads(text)) == ("1", ONLINE)
    assert late_subscriber(unit, "of-somebody-else", *TLS).returncode != 0
    assert late_subscriber(unit, token).returncode != 0, "without TLS the broker hears nobody"


def test_telemetry_comes_while_its_owner_agrees(unit: Machine, cloud: Cloud) -> None:
    # Until the next start it is to send every few seconds.
    run(unit, f"sed -i 's/--watchdog/--telemetry-every {PERIOD_S} --watchdog/' /etc/services/thermostatd")
    unit.type("kill $(ps | grep '/usr/bin/[t]hermostatd --factory' | sed 's/^ *//' | cut -d' ' -f1)\r")
    unit.expect("^HT-1: thermostatd ended ")
    unit.expect("^HT-1: READY ")
    owner = log_in(unit)
    online(unit, owner)
    for _ in range(2):
        silent(unit, cloud, owner)
        before = len(readings(cloud, unit))
        consent(unit, owner, True)
        until(lambda: len(readings(cloud, unit)) >= before + 3, unit, "telemetry arrives")  # noqa: B023
        consent(unit, owner, False)
    silent(unit, cloud, owner)
    first, *_, last = [json.loads(line["body"]) for line in readings(cloud, unit)]
    assert set(first) == {"temperature", "heating", "uptime_s", "version"}
    assert last["uptime_s"] > first["uptime_s"]


def consent(unit: Machine, owner: str, agreed: bool) -> None:
    assert unit.ask("PUT", "/api/consent", {"telemetry": agreed}, owner)[0] == 200
    assert unit.ask("GET", "/api/consent", token=owner) == (200, {"telemetry": agreed})


def silent(unit: Machine, cloud: Cloud, owner: str) -> None:
    """Four periods by its own clock without telemetry; what else it sends arrives before and after, so that nothing was under way."""
    looks(unit, cloud, owner)
    held, begin = len(readings(cloud, unit)), state_of(unit, owner)["uptime_s"]
    until(lambda: state_of(unit, owner)["uptime_s"] > begin + 4 * PERIOD_S, unit, "its clock goes")
    looks(unit, cloud, owner)
    assert len(readings(cloud, unit)) == held
    assert state_of(unit, owner)["cloud"] == "up", "it only lost its line"


def test_after_a_power_cut_it_is_online_again_as_the_same(unit: Machine, cloud: Cloud) -> None:
    known = len(states(cloud, unit))
    unit.off()
    unit.on()
    unit.ready()
    owner = log_in(unit)
    online(unit, owner)
    until(lambda: states(cloud, unit)[known:], unit, "its state arrives again")
    assert states(cloud, unit)[-1] == ONLINE
    assert len(registrations(cloud, unit)) == 1
    assert unit.ask("GET", "/api/consent", token=owner) == (200, {"telemetry": False})


@pytest.mark.full
def test_by_default_telemetry_comes_once_a_minute(unit: Machine, cloud: Cloud) -> None:
    owner = log_in(unit)
    consent(unit, owner, True)
    before = len(readings(cloud, unit))
    until(lambda: len(readings(cloud, unit)) >= before + 2, unit, "two readings", 140)
    one, two = [json.loads(line["body"])["uptime_s"] for line in readings(cloud, unit)[before : before + 2]]
    assert 58 <= two - one <= 65
    consent(unit, owner, False)


def test_an_erase_removes_it_at_the_cloud(unit: Machine, cloud: Cloud, tmp_path: Path) -> None:
    serial, token = unit.record["serial"], token_of(unit, tmp_path)
    kept = cloud.folder / "units" / serial
    assert sorted(path.name for path in kept.iterdir()) == ["telemetry.jsonl", "unit.json"]
    assert late_subscriber(unit, token, *TLS).returncode == 0
    owner = log_in(unit)
    assert unit.ask("POST", "/api/erase", {"password": PASSWORD}, owner)[0] == 202
    unit.expect("^HT-1: factory reset done$")
    asked = cloud.received("https", method="POST", path="/v1/erase", certificate=serial)
    assert [line["from"] for line in asked] == [unit.host]
    assert not kept.exists()
    refused = late_subscriber(unit, token, *TLS)
    assert refused.returncode != 0
    assert "ot authori" in refused.stderr, refused.stderr
    # From then on it is as it was before its set-up.
    held = len(arrived(cloud, unit))
    unit.ready()
    unit.listen(CALLS_WITHIN_S)
    assert unit.ask("GET", "/api/info")[1]["setup"] == "open"
    broker = [line for line in arrived(cloud, unit)[held:] if '"kind": "broker"' not in line]  # its own end is said there
    assert broker == []
    set_up(unit, auto_update=False)
    until(lambda: len(registrations(cloud, unit)) == 2, unit, "its next owner's registration")
    until(kept.exists, unit, "the cloud knows it again")
    assert not (kept / "telemetry.jsonl").exists(), "of the owner before"
