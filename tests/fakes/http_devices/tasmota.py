# SPDX-License-Identifier: Apache-2.0
"""Tasmota: tasmota.github.io/docs, Commands ("How to use commands", web requests, Power, SetOption26, StateText)."""

from __future__ import annotations

import json
import re

from .device import Answer, Device, Login, Request


class TasmotaLogin(Login):
    """In the query. A wrong one is a 200 before version 8.2.3, and 401 since."""

    def __init__(self, password: str, *, old: bool = False) -> None:
        self._password, self._old = password, old

    def admits(self, request: Request) -> bool:
        return request.query.get("user") == "admin" and request.query.get("password") == self._password

    def challenge(self) -> Answer:
        return Answer(200 if self._old else 401, json.dumps({"WARNING": "Need user=<username>&password=<password>"}))


class Tasmota(Device):
    def __init__(self, relays: int = 1, *, password: str = "", old: bool = False, set_option_26: bool = False) -> None:
        super().__init__(relays, TasmotaLogin(password, old=old) if password else None)
        self.indexed = relays > 1 or set_option_26
        self.texts = ("OFF", "ON")

    def answer(self, request: Request) -> Answer:
        command = request.query.get("cmnd", "")
        if command.lower() == "status 2":
            return Answer(200, json.dumps({"StatusFWR": {"Version": "13.2.0(tasmota)", "Hardware": "ESP8285"}}))
        found = re.fullmatch(r"power(\d*)(?: (on|off|1|0|true|false))?", command, re.IGNORECASE)
        relay = int(found[1] or 1) if found else 0
        if request.path != "/cm" or not found or not 1 <= relay <= len(self.on):
            return Answer(200, json.dumps({"Command": "Unknown"}))
        told = self.on[relay - 1]
        if found[2]:
            told = found[2].lower() in ("on", "1", "true")
            self.switch(relay - 1, told)
        return Answer(200, json.dumps({f"POWER{relay}" if self.indexed else "POWER": self.texts[told]}))
