# SPDX-License-Identifier: Apache-2.0
"""Shelly of the first generation: shelly-api-docs.shelly.cloud/gen1, /relay/{index} and /shelly."""

from __future__ import annotations

import json

from .device import Answer, Device, Request
from .login import BasicLogin


class ShellyGen1(Device):
    def __init__(self, relays: int = 1, *, password: str = "") -> None:
        super().__init__(relays, BasicLogin("admin", password) if password else None)
        self.has_timer = False

    def answer(self, request: Request) -> Answer:
        if request.path == "/shelly":
            about = {"type": "SHSW-25", "mac": "5ECF7F1632E8", "auth": self.login is not None, "fw": "20230913-112234/v1.14.0-gcb84623"}
            return Answer(200, json.dumps({**about, "num_outputs": len(self.on)}))
        index = request.path.removeprefix("/relay/")
        if not request.path.startswith("/relay/") or not index.isdigit() or int(index) >= len(self.on):
            return Answer(404, "Not Found")
        relay = int(index)
        turn = request.query.get("turn")
        if turn not in (None, "on", "off", "toggle"):
            return Answer(400, "Bad turn!")
        told = self.on[relay]
        if turn is not None:
            told = not told if turn == "toggle" else turn == "on"
            self.switch(relay, told)
        timer = {"has_timer": self.has_timer, "timer_started": 0, "timer_duration": 0, "timer_remaining": 5 if self.has_timer else 0}
        return Answer(200, json.dumps({"ison": told, **timer, "overpower": False, "source": "http"}))
