# SPDX-License-Identifier: Apache-2.0
"""ESPHome's web server: esphome.io/web-api (REST API, switch)."""

from __future__ import annotations

import json

from .device import Answer, Device, Request
from .login import DigestLogin


class EspHome(Device):
    def __init__(self, *, password: str = "") -> None:
        super().__init__(1, DigestLogin("admin", password, "asyncesp", "MD5") if password else None)

    def answer(self, request: Request) -> Answer:
        if request.method == "POST" and request.path in ("/switch/relay/turn_on", "/switch/relay/turn_off"):
            self.switch(0, request.path.endswith("on"))
            return Answer(200, "")
        if request.method == "GET" and request.path == "/switch/relay":
            return Answer(200, json.dumps({"id": "switch-relay", "state": "ON" if self.on[0] else "OFF", "value": self.on[0]}))
        return Answer(404, "Not Found")
