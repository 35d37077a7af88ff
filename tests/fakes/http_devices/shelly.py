# SPDX-License-Identifier: Apache-2.0
"""Shelly of the second generation and later: shelly-api-docs.shelly.cloud/gen2, RPC over HTTP, Switch, Authentication, Common errors."""

from __future__ import annotations

import json
from typing import Any

from .device import Answer, Device, Login, Request
from .login import DigestLogin

MODEL = "shellypro4pm-f008d1d8b8b8"


class _AllButTheDeviceInfo(Login):
    """/shelly is told to everybody."""

    def __init__(self, digest: DigestLogin) -> None:
        self.digest = digest

    def admits(self, request: Request) -> bool:
        return request.path == "/shelly" or self.digest.admits(request)

    def challenge(self) -> Answer:
        return self.digest.challenge()


class Shelly(Device):
    def __init__(self, relays: int = 1, *, password: str = "") -> None:
        self.digest = DigestLogin("admin", password, MODEL)
        super().__init__(relays, _AllButTheDeviceInfo(self.digest) if password else None)
        self.has_timer = False

    def answer(self, request: Request) -> Answer:
        if request.path == "/shelly":
            about = {"id": MODEL, "mac": "F008D1D8B8B8", "model": "SPSW-104PE16EU", "gen": 2, "ver": "1.4.4", "app": "Pro4PM"}
            return Answer(200, json.dumps({**about, "auth_en": self.login is not None}))
        if request.path == "/rpc" and request.method == "POST":
            frame = json.loads(request.body)
            status, told = self.call(frame.get("method", ""), frame.get("params", {}))
            return Answer(200, json.dumps({"id": frame["id"], "src": MODEL, "result" if status == 200 else "error": told}))
        method = request.path.removeprefix("/rpc/")
        parameters = {name: json.loads(value) for name, value in request.query.items()}
        status, told = self.call(method, parameters)
        return Answer(status, json.dumps(told))

    def call(self, method: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method not in ("Switch.Set", "Switch.GetStatus"):
            return 404, {"code": 404, "message": f"No handler for {method}"}
        if "id" not in parameters:
            return 500, {"code": -103, "message": "Missing required argument 'id'!"}
        relay = parameters["id"]
        if not 0 <= relay < len(self.on):
            return 500, {"code": -105, "message": f"Argument 'id', value {relay} not found!"}
        was = self.on[relay]
        if method == "Switch.Set":
            self.switch(relay, bool(parameters["on"]))
            return 200, {"was_on": was}
        timer = {"timer_started_at": 1626935739.79, "timer_duration": 60} if self.has_timer else {}
        return 200, {"id": relay, "source": "http", "output": was, **timer, "apower": 8.9 if was else 0.0, "voltage": 237.5}
