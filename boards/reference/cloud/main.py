# SPDX-License-Identifier: Apache-2.0
"""Starts the cloud, says where it listens, ends it whole: by a signal, with its parent, or when its broker is gone."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import socket
import ssl
import sys
from pathlib import Path

import faults
import updates
from aiohttp import web
from authority import CloudError, server_certificate
from broker import Broker
from connection import PATIENCE_S, Listener
from records import Received
from service import CLOUD, MQTT, UPDATES, WWW, Service
from units import Units

# A busy host can take a free port away between the look and the bind.
BROKER_ATTEMPTS = 5
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def tls(certificate: tuple[Path, Path], device_ca: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.load_cert_chain(*certificate)
    # Only registration wants one; a wrong one ends the handshake, none is refused by the call.
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(device_ca)
    return context


def free_port(address: str) -> int:
    with socket.create_server((address, 0)) as probe:
        return int(probe.getsockname()[1])


def allowed_units(folders: list[Path] | None) -> set[str] | None:
    if folders is None:
        return None
    serials = set()
    for folder in folders:
        try:
            serials.add(str(json.loads((folder / "record.json").read_text())["serial"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CloudError(f"unit {folder}: {type(error).__name__}: {error}: name a folder that make-unit wrote") from error
    return serials


def publish_named(folder: Path, lab_ca: Path, words: list[str]) -> None:
    for word in words:
        version, _, file = word.partition("=")
        updates.publish(folder, lab_ca, version, Path(file))


async def started_broker(a: argparse.Namespace, received: Received) -> tuple[Broker, int]:
    certificate = server_certificate(a.lab_ca, a.dir / "tls", "mqtt", [MQTT])
    for left in reversed(range(BROKER_ATTEMPTS)):
        port = a.mqtt_port or free_port(a.address)
        broker = Broker(a.dir, a.address, certificate, a.lab_ca / "ca.crt", received)
        try:
            await broker.start(port)
        except CloudError:
            await broker.stop()
            if a.mqtt_port or not left:
                raise
        else:
            return broker, port
    raise AssertionError


async def until_end(broker: Broker, stop: asyncio.Event, parent: int) -> None:
    broken = asyncio.create_task(broker.ended())
    stopped = asyncio.create_task(stop.wait())
    while not stopped.done() and not broken.done() and os.getppid() == parent:
        await asyncio.wait({broken, stopped}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if broken.done() and not stop.is_set():
        raise CloudError(f"broker: mosquitto ended by itself with {broken.result()}: see the lines of kind broker in received.jsonl")
    broken.cancel()


async def serve(a: argparse.Namespace, parent: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    received = Received(a.dir / "received.jsonl")
    broker = runner = listener = None
    try:
        units = Units(a.dir / "units", allowed_units(a.units))
        web_certificate = server_certificate(a.lab_ca, a.dir / "tls", "web", [CLOUD, WWW, UPDATES])
        broker, mqtt_port = await started_broker(a, received)
        broker.on_message = lambda topic, payload: keep(units, topic, payload)
        runner = web.AppRunner(Service(a.dir, units, broker, received, a.patience).app)
        await runner.setup()
        assert runner.server is not None
        context = tls(web_certificate, a.lab_ca / "device-ca.crt")
        try:
            listener = await loop.create_server(
                Listener(runner.server, received, a.patience),
                a.address,
                a.port,
                ssl=context,
                ssl_handshake_timeout=a.patience,
                ssl_shutdown_timeout=2,
            )
        except OSError as error:
            why = "give another --port, 0 for a free one" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "see --address"
            raise CloudError(f"HTTPS on {a.address} port {a.port}: {os.strerror(error.errno or 0)}: {why}") from error
        port = listener.sockets[0].getsockname()[1]
        print(f"cloud: listening https {a.address}:{port} mqtts {a.address}:{mqtt_port}", flush=True)
        await until_end(broker, stop, parent)
    finally:
        if listener is not None:
            listener.close()
        if runner is not None and runner.server is not None:
            await runner.server.shutdown(1.0)
            await runner.cleanup()
        if broker is not None:
            await broker.stop()
        received.close()


def keep(units: Units, topic: str, payload: bytes) -> None:
    root, serial, what = [*topic.split("/", 2), "", ""][:3]
    if root == "ht1" and what == "telemetry":
        units.keep_reading(serial, payload[:1024].decode(errors="replace"))


def main() -> int:
    parent = os.getppid()
    parser = argparse.ArgumentParser(prog="run", description="The maker's cloud of HT-1: HTTPS, MQTT over TLS. All it keeps stands in DIR.")
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument("--address", default="127.0.0.1", help="where both listen")
    parser.add_argument("--port", type=int, default=443, help="of HTTPS; 0: a free one")
    parser.add_argument("--mqtt-port", type=int, default=8883, help="0: a free one")
    parser.add_argument("--lab-ca", type=Path, default=updates.LAB_CA, metavar="DIR", help="what make-ca made; default: of the built image")
    parser.add_argument("--units", type=Path, nargs="+", metavar="DIR", help="only these units, as make-unit wrote them, may register")
    parser.add_argument("--patience", type=float, default=PATIENCE_S, metavar="S", help="how long a slow client is borne (default: 10)")
    parser.add_argument("--publish", action="append", default=[], metavar="VERSION=FILE", help="offer a bundle; more with cloud/publish")
    parser.add_argument("--fault", action="append", default=[], metavar="WHERE=KIND", help="fail on purpose; see cloud/fault --help")
    a = parser.parse_args()
    try:
        if not (a.lab_ca / "ca.key").exists():
            raise CloudError(f"lab's authority {a.lab_ca}: no ca.key there: build the board (./dev build), or make one: cloud/make-ca DIR")
        a.dir, a.lab_ca = a.dir.resolve(), a.lab_ca.resolve()
        a.dir.mkdir(parents=True, exist_ok=True)
        faults.write(a.dir, faults.parse(a.fault))
        publish_named(a.dir, a.lab_ca, a.publish)
        asyncio.run(serve(a, parent))
    except (CloudError, OSError) as error:
        print(f"cloud: {error}", file=sys.stderr)
        return 2
    return 0
