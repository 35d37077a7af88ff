# SPDX-License-Identifier: Apache-2.0
"""The HTTPS service: registration and erasure of units, update metadata and bundles, the maker's public pages."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import faults
import pages
import updates
from aiohttp import web
from authority import CloudError
from broker import Broker
from connection import Connection
from records import Received, text_of
from units import Units, digest

BODY_BYTES = 64 << 10
HANG_S = 600.0
CLOUD, WWW, UPDATES, MQTT = "cloud.ht1.example", "www.ht1.example", "updates.ht1.example", "mqtt.ht1.example"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    def __init__(self, status: int, why: str, close: bool = False) -> None:
        super().__init__(why)
        self._status = status
        self._close = close

    def answer(self) -> web.Response:
        response = web.json_response({"error": str(self)}, status=self._status)
        if self._close:
            response.force_close()
        return response


def certified(request: web.Request) -> str | None:
    """The common name of the device certificate that the connection was made with; TLS has verified it."""
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    names = [value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if len(names) == 1 else None


def bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


class Service:
    def __init__(self, folder: Path, units: Units, broker: Broker, received: Received, patience_s: float) -> None:
        self._patience_s = patience_s
        self._folder = folder
        self._units = units
        self._broker = broker
        self._received = received
        self._changing = asyncio.Lock()  # registrations and erasures of one unit must not cross
        self.app = web.Application(middlewares=[self._every], client_max_size=BODY_BYTES)
        self.app.router.add_post("/v1/register", self._register, name="register")
        self.app.router.add_post("/v1/erase", self._erase, name="erase")
        self.app.router.add_get("/v1/update/HT-1.json", self._metadata, name="metadata")
        self.app.router.add_get("/bundles/{name}", self._bundle, name="bundles")
        self.app.router.add_get("/{page:.*}", self._page, name="pages")
        self.app.on_response_prepare.append(self._headers)

    async def _headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers.pop("Server", None)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"

    @web.middleware
    async def _every(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if isinstance(request.protocol, Connection):
            request.protocol.request_came()
        try:
            fault = await self._take(request)
            if fault == "503":
                return web.json_response({"error": "unavailable"}, status=503, headers={"Retry-After": "60"})
            if fault == "hang":
                await asyncio.sleep(HANG_S)
                raise Refused(503, "unavailable")
            response = await handler(request)
            return await self._half(request, response, fault) if fault in ("stall", "truncated") else response
        except Refused as error:
            return error.answer()
        except CloudError as error:
            print(f"cloud: {request.method} {request.path}: {error}", file=sys.stderr)
            return Refused(503, "unavailable").answer()
        except web.HTTPException as error:
            return Refused(error.status, error.reason.lower()).answer()

    async def _take(self, request: web.Request) -> str | None:
        """Takes the whole request and records it; says which fault is wanted there."""
        host = request.host.rpartition(":")[0] if ":" in request.host else request.host
        seen: dict[str, Any] = {"from": request.remote, "host": host, "method": request.method, "path": request.raw_path}
        seen["headers"] = {name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"}
        if bearer(request):
            seen["token_sha256"] = digest(bearer(request))
        seen["certificate"] = certified(request)
        try:
            body = await asyncio.wait_for(request.read(), self._patience_s)
        except web.HTTPRequestEntityTooLarge:
            self._received.add("https", **seen, error=f"body of more than {BODY_BYTES} bytes")
            raise Refused(413, f"body of more than {BODY_BYTES} bytes") from None
        except TimeoutError:
            self._received.add("https", **seen, error="body not there in time")
            raise Refused(408, "body not there in time", close=True) from None
        fault = faults.current(self._folder).get(request.match_info.route.name or "")
        self._received.add("https", **seen, **text_of(body), **({"fault": fault} if fault else {}))
        if host not in (CLOUD, WWW, UPDATES):
            raise Refused(421, "no such host here")
        request["host"], request["fault"] = host, fault
        return fault

    async def _half(self, request: web.Request, whole: web.StreamResponse, fault: str) -> web.StreamResponse:
        """The head promises all of it, half of it comes. A range is honoured: who resumes gets half of the rest."""
        if isinstance(whole, web.FileResponse):
            path = updates.bundle(self._folder, request.match_info["name"])
            assert path is not None
            data = path.read_bytes()
        else:
            data = bytes(getattr(whole, "body", None) or b"")
        start = 0
        if "Range" in request.headers and isinstance(whole, web.FileResponse):
            try:
                start = request.http_range.start or 0
            except ValueError:
                start = len(data)
            if not 0 <= start < len(data):
                raise Refused(416, "no such range")
        part = web.StreamResponse(status=206 if start else whole.status)
        part.content_type = whole.content_type
        if start:
            part.headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        part.content_length = len(data) - start
        part.force_close()
        await part.prepare(request)
        await part.write(data[start : start + (len(data) - start) // 2])
        if fault == "stall":
            await asyncio.sleep(HANG_S)
        if request.transport is not None:
            request.transport.close()
        return part

    def _blocking(self, call: Callable[..., None], *words: str) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(None, call, *words)

    async def _register(self, request: web.Request) -> web.StreamResponse:
        serial, model, version = await self._registration(request)
        token = self._units.new_token()
        async with self._changing:
            await self._blocking(self._broker.set_unit, serial, token)
            await self._blocking(self._units.register, serial, token, model, version)
        return web.json_response({"token": token})

    async def _registration(self, request: web.Request) -> tuple[str, str, str]:
        if request["host"] != CLOUD:
            raise Refused(404, "not found")
        name = certified(request)
        if name is None:
            raise Refused(403, "a device certificate is needed")
        try:
            asked = json.loads(await request.read())
            serial, model, version = (asked[key] for key in ("serial", "model", "version"))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused(400, 'what is sent must be {"serial", "model", "version"}') from None
        if not all(isinstance(value, str) and 0 < len(value) <= 64 for value in (serial, model, version)):
            raise Refused(400, "each a text of 1 to 64 characters")
        if serial != name or not self._units.accepts(serial):
            raise Refused(403, "the certificate is of another unit, or the unit is not known")
        if model != updates.MODEL or not updates.VERSION.fullmatch(version):
            raise Refused(400, "no such model or version")
        return serial, model, version

    async def _erase(self, request: web.Request) -> web.StreamResponse:
        if request["host"] != CLOUD:
            raise Refused(404, "not found")
        async with self._changing:
            serial = self._units.owner_of(bearer(request))
            if serial is None:
                raise Refused(401, "no such token")
            await self._blocking(self._broker.remove_unit, serial)
            await self._blocking(self._units.erase, serial)
        return web.json_response({"erased": serial})

    async def _metadata(self, request: web.Request) -> web.StreamResponse:
        path = updates.published(self._folder, stale=request["fault"] == "stale")
        if request["host"] == WWW or path is None:
            raise Refused(404, "nothing is published")
        return web.Response(body=path.read_bytes(), content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _bundle(self, request: web.Request) -> web.StreamResponse:
        path = updates.bundle(self._folder, request.match_info["name"])
        if request["host"] == WWW or path is None:
            raise Refused(404, "no such bundle")
        return web.FileResponse(path, headers={"Content-Type": "application/octet-stream"})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        page = request.match_info["page"]
        if request["host"] == WWW and (text := pages.html(page)) is not None:
            return web.Response(text=text, content_type="text/html", charset="utf-8")
        if page == ".well-known/security.txt":
            return web.Response(text=pages.security_txt(request["host"]), content_type="text/plain", charset="utf-8")
        raise Refused(404, "not found")
