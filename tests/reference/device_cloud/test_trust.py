# SPDX-License-Identifier: Apache-2.0
"""Whom the device believes on the network, and what others on it can hear: a sound unit beside a flawed one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import NewDevice, NewUnit
from ht1 import CLOUD, MQTT, issuer_of
from peers import Between, Peer, Server, certificates
from running import Authority, Cloud, until

NewPeer = Callable[..., Peer]


@pytest.fixture
def meet() -> Iterator[Callable[[Peer], Peer]]:
    made: list[Peer] = []

    def keep(peer: Peer) -> Peer:
        made.append(peer)
        return peer

    yield keep
    for peer in made:
        peer.close()


WRONG = ("rogue", "other name", "expired")
# What a unit with the flaw believes: what it must, and of the wrong ones these.
BELIEVES = {"cert-unchecked": WRONG, "name-unchecked": ("other name",), "expiry-unchecked": ("expired",)}


@pytest.mark.parametrize("flaw", BELIEVES)
def test_only_a_flawed_unit_believes_a_wrong_certificate(
    flaw: str, authority: Authority, tmp_path: Path, new_unit: NewUnit, new_device: NewDevice, meet: Callable[[Peer], Peer]
) -> None:
    """Believing is giving away: the registration over HTTPS, the token over MQTT. Refusing is to call and to say nothing."""
    maker = issuer_of(authority, "ca")
    tls = {kind: (https(), mqtt()) for (kind, https), mqtt in zip(
        certificates(tmp_path, maker, CLOUD).items(), certificates(tmp_path, maker, MQTT).values(), strict=True)}  # fmt: skip
    met: dict[tuple[bool, str], tuple[Peer, Peer]] = {}
    for flawed, kind in itertools.product((False, True), tls):
        https, mqtt = (meet(Server(context)) for context in tls[kind])
        met[flawed, kind] = https, mqtt
        flaws = (flaw,) if flawed else ()
        new_device(new_unit(*flaws).owned(), cloud=https.port)
        new_device(new_unit(*flaws).owned("canary-token"), mqtt=mqtt.port)

    for (flawed, kind), (https, mqtt) in met.items():
        case = f"{'flawed' if flawed else 'sound'} unit, {kind} certificate"
        if kind == "right" or (flawed and kind in BELIEVES[flaw]):
            assert until(lambda peer=https: b"POST /v1/register" in peer.all_heard()), case
            assert until(lambda peer=mqtt: b"canary-token" in peer.all_heard()), case
        else:
            assert until(lambda both=(https, mqtt): all(peer.over for peer in both)), f"{case}: it did not call"
            assert (https.all_heard(), mqtt.all_heard()) == (b"", b""), case


def test_only_a_flawed_unit_talks_to_its_broker_in_clear(
    cloud: Cloud, new_unit: NewUnit, new_device: NewDevice, meet: Callable[[Peer], Peer]
) -> None:
    between = meet(Between(cloud.mqtt_port))
    unit = new_unit().owned(telemetry=True)
    new_device(unit, cloud=cloud.port, mqtt=between.port)
    assert until(lambda: cloud.received("mqtt", topic=f"ht1/{unit.serial}/telemetry")), "all of it has passed where it is heard"
    for secret in (unit.record("token"), "temperature", unit.serial):
        assert secret.encode() not in between.all_heard()

    broker = meet(Server())
    flawed = new_unit("mqtt-clear").owned("canary-token", telemetry=True)
    new_device(flawed, mqtt=broker.port)
    assert until(lambda: b'"temperature"' in broker.all_heard())
    assert flawed.serial.encode() in broker.all_heard()
    assert b"canary-token" in broker.all_heard()
