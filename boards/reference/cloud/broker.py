# SPDX-License-Identifier: Apache-2.0
"""Debian's mosquitto as the broker: TLS, a user for each unit through its dynamic security plugin, own topics only."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import hashlib
import json
import os
import secrets
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt  # type: ignore[import]
from authority import CloudError, write_new
from records import Received, text_of

COLLECTOR = "cloud"
CONTROL = "$CONTROL/dynamic-security/v1"
READY_S = 30.0
COMMAND_S = 20.0
MESSAGE_BYTES = 64 << 10
PR_SET_PDEATHSIG = 1


def plugin() -> Path:
    for path in sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")):
        return path
    raise CloudError("broker: no mosquitto_dynamic_security.so under /usr/lib: install Debian's package mosquitto (./dev setup)")


def hashed(password: str) -> dict[str, Any]:
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return {"password": base64.b64encode(digest).decode(), "salt": base64.b64encode(salt).decode(), "iterations": 101}


def grants(kinds: list[str], topics: list[str]) -> list[dict[str, Any]]:
    return [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind in kinds for topic in topics]


def end_with_parent() -> None:
    # Runs in the child before mosquitto: it must not outlive a cloud that was killed.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Broker:
    def __init__(self, folder: Path, address: str, certificate: tuple[Path, Path], ca: Path, received: Received) -> None:
        self._folder = folder / "broker"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._address = address
        self._certificate = certificate
        self._ca = ca
        self._received = received
        self._password = secrets.token_urlsafe(32)
        self._waiting: dict[bytes, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._subscribed = threading.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._client: mqtt.Client | None = None
        self.on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None

    def _write_security(self) -> Path:
        """Units that were registered stay; the collector's own user has a new password at each start."""
        path = self._folder / "dynamic-security.json"
        try:
            held = json.loads(path.read_text())
            clients = [client for client in held["clients"] if client["username"] != COLLECTOR]
            roles = [role for role in held["roles"] if role["rolename"] != COLLECTOR]
        except (OSError, ValueError, KeyError, TypeError):
            clients, roles = [], []
        both = ["$CONTROL/dynamic-security/#", "ht1/#"]
        acls = grants(["publishClientSend", "publishClientReceive", "subscribePattern"], both)
        roles.append({"rolename": COLLECTOR, "acls": acls})
        clients.append({"username": COLLECTOR, "roles": [{"rolename": COLLECTOR}], **hashed(self._password)})
        denied = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
        write_new(path, json.dumps({"defaultACLAccess": denied, "clients": clients, "roles": roles}).encode(), 0o600)
        return path

    def _write_config(self, port: int) -> Path:
        certificate, key = self._certificate
        lines = [
            f"listener {port} {self._address}",
            f"certfile {certificate}",
            f"keyfile {key}",
            "max_connections 100",
            "allow_anonymous false",
            f"plugin {plugin()}",
            f"plugin_opt_config_file {self._write_security()}",
            "persistence false",
            f"max_packet_size {MESSAGE_BYTES}",
            "max_keepalive 600",
            "max_queued_messages 200",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "connection_messages true",
        ]
        if os.geteuid() == 0:
            lines.insert(0, "user root")  # else it drops to a user who cannot read DIR
        path = self._folder / "mosquitto.conf"
        write_new(path, "".join(line + "\n" for line in lines).encode(), 0o600)
        return path

    async def start(self, port: int) -> None:
        try:  # asked here: mosquitto says so only in its log, and somebody else would be spoken to
            socket.create_server((self._address, port)).close()
        except OSError as error:
            why = f"{os.strerror(error.errno or 0)}: give another --mqtt-port, 0 for a free one"
            raise CloudError(f"broker on {self._address} port {port}: {why}") from error
        program = "/usr/sbin/mosquitto"
        config = self._write_config(port)
        try:
            self._process = await asyncio.create_subprocess_exec(
                program,
                "-c",
                str(config),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        except OSError as error:
            raise CloudError(f"broker {program}: {error}: install Debian's package mosquitto (./dev setup)") from error
        self._reader = asyncio.create_task(self._read_log())
        await self._connect(port)

    async def _read_log(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while True:
            try:
                line = await self._process.stderr.readline()
            except ValueError:
                continue  # a line longer than the buffer: the rest of it follows
            if not line:
                return
            self._received.add("broker", line=line.decode(errors="replace").rstrip("\n"))

    async def ended(self) -> int:
        """Returns when mosquitto has ended, with its status."""
        assert self._process is not None
        return await self._process.wait()

    async def _connect(self, port: int) -> None:
        context = ssl.create_default_context(cafile=str(self._ca))
        context.check_hostname = False  # by address; the authority still has to be ours
        client = mqtt.Client("cloud-collector", protocol=mqtt.MQTTv5)
        client.username_pw_set(COLLECTOR, self._password)
        client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_message = self._message
        client.reconnect_delay_set(1, 5)
        self._client = client
        host = "127.0.0.1" if self._address == "0.0.0.0" else self._address
        loop = asyncio.get_running_loop()
        end = loop.time() + READY_S
        while True:
            assert self._process is not None
            if self._process.returncode is not None:
                raise CloudError(f"broker on port {port}: mosquitto ended with {self._process.returncode}: see received.jsonl")
            try:
                await loop.run_in_executor(None, client.connect, host, port, 30)
                break
            except OSError as error:
                if loop.time() > end:
                    raise CloudError(f"broker on port {port}: not reached in {READY_S:.0f} s ({error}): see received.jsonl") from error
                await asyncio.sleep(0.05)
        client.loop_start()
        if not await loop.run_in_executor(None, self._subscribed.wait, READY_S):
            raise CloudError(f"broker on port {port}: the collector may not subscribe: see received.jsonl")

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        # Not what it sends itself: that was not received.
        options = mqtt.SubscribeOptions(qos=1, noLocal=True)
        client.subscribe([(f"{CONTROL}/response", options), ("ht1/#", options)])

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        # In paho's thread: nothing may escape, or collecting ends.
        try:
            if message.topic.startswith("$CONTROL/"):
                self._answered(message.payload)
                return
            self._received.add("mqtt", topic=message.topic, qos=message.qos, retain=bool(message.retain), **text_of(message.payload))
            self.on_message(message.topic, message.payload)
        except Exception as error:
            print(f"cloud: message on {message.topic!r}: {type(error).__name__}: {error}: it is not kept", file=sys.stderr)

    def _answered(self, payload: bytes) -> None:
        for answer in json.loads(payload)["responses"]:
            with self._lock:
                waiting = self._waiting.get(str(answer.get("correlationData", "")).encode())
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    def _ask(self, command: dict[str, Any], tolerated: str = "") -> None:
        """Blocking: one command of the plugin and its answer."""
        assert self._client is not None
        mark = secrets.token_hex(8)
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            self._waiting[mark.encode()] = future
        try:
            self._client.publish(CONTROL, json.dumps({"commands": [{**command, "correlationData": mark}]}), qos=1)
            answer = future.result(COMMAND_S)
        except TimeoutError as error:
            raise CloudError(f"broker: no answer to {command['command']} in {COMMAND_S:.0f} s: is mosquitto alive?") from error
        finally:
            with self._lock:
                self._waiting.pop(mark.encode(), None)
        if "error" in answer and answer["error"] != tolerated:
            raise CloudError(f"broker: {command['command']} refused: {answer['error']}: see received.jsonl")

    def set_unit(self, serial: str, token: str) -> None:
        """Blocking. A unit that was there before is thrown out first: its old token ends here."""
        self.remove_unit(serial)
        sends = grants(["publishClientSend"], [f"ht1/{serial}/telemetry", f"ht1/{serial}/state"])
        hears = grants(["publishClientReceive", "subscribePattern", "subscribeLiteral"], [f"ht1/{serial}/#"])
        self._ask({"command": "createRole", "rolename": serial, "acls": sends + hears})
        self._ask({"command": "createClient", "username": serial, "password": token, "roles": [{"rolename": serial}]})

    def remove_unit(self, serial: str) -> None:
        """Blocking: the user, its rights, its connection and its retained state."""
        assert self._client is not None
        self._ask({"command": "deleteClient", "username": serial}, tolerated="Client not found")
        self._ask({"command": "deleteRole", "rolename": serial}, tolerated="Role not found")
        self._client.publish(f"ht1/{serial}/state", b"", qos=1, retain=True)

    async def stop(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            await asyncio.get_running_loop().run_in_executor(None, self._client.loop_stop)
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._reader is not None:
            await self._reader
