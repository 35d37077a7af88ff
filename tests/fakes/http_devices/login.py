# SPDX-License-Identifier: Apache-2.0
"""Who may switch: basic (RFC 7617) and digest authentication (RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from .device import Answer, Login, Request


class BasicLogin(Login):
    def __init__(self, user: str, password: str) -> None:
        self._wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def admits(self, request: Request) -> bool:
        return request.headers.get("authorization") == self._wanted

    def challenge(self) -> Answer:
        return Answer(401, "401 Unauthorized", {"WWW-Authenticate": 'Basic realm="shelly"'})


class DigestLogin(Login):
    def __init__(self, user: str, password: str, realm: str, algorithm: str = "SHA-256") -> None:
        self._user, self._password, self._realm, self._algorithm = user, password, realm, algorithm
        self._nonces: set[str] = set()

    def forget(self) -> None:
        """It was restarted: nonces of before are none."""
        self._nonces.clear()

    def challenge(self) -> Answer:
        nonce = secrets.token_hex(8)
        self._nonces.add(nonce)
        wanted = f'Digest qop="auth", realm="{self._realm}", nonce="{nonce}", algorithm={self._algorithm}'
        return Answer(401, "", {"WWW-Authenticate": wanted})

    def admits(self, request: Request) -> bool:
        kind, _, rest = request.headers.get("authorization", "").partition(" ")
        given = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', rest)}
        if kind != "Digest" or given.get("nonce") not in self._nonces or given.get("uri") != request.target:
            return False
        if given.get("algorithm") != self._algorithm or given.get("username") != self._user or given.get("qop") != "auth":
            return False
        ha1 = self._hash(f"{self._user}:{self._realm}:{self._password}")
        ha2 = self._hash(f"{request.method}:{request.target}")
        return given.get("response") == self._hash(f"{ha1}:{given['nonce']}:{given.get('nc')}:{given.get('cnonce')}:auth:{ha2}")

    def _hash(self, text: str) -> str:
        return hashlib.new(self._algorithm.replace("-", ""), text.encode()).hexdigest()
