# SPDX-License-Identifier: Apache-2.0
"""HTTP's Digest authentication (RFC 7616; without qop: RFC 2069)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hilcop.credentials.answers import Answer, Dial, Unintelligible, shown
from hilcop.credentials.http_basic import judged
from hilcop.credentials.http_challenge import Challenge, challenges
from hilcop.credentials.http_client import HttpReply, ask
from hilcop.credentials.pairs import Pair

MOST_STALE = 2  # times that a nonce may have grown old (RFC 7616 3.3): then it is no answer

_HASHES: dict[str, Callable[[bytes], str]] = {
    "sha-256": lambda data: hashlib.sha256(data).hexdigest(),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}


def authorization(parameters: Mapping[str, str], pair: Pair, method: str, path: str, client_nonce: str) -> str:
    """The header that answers a challenge (RFC 7616 3.4). Unintelligible: it wants an algorithm or a protection that is not known."""
    algorithm = parameters.get("algorithm", "MD5")
    digest = _HASHES.get(algorithm.lower().removesuffix("-sess"))
    offered = [word.strip().lower() for word in parameters.get("qop", "").split(",") if word.strip()]
    if digest is None or (offered and "auth" not in offered):
        raise Unintelligible(f"Digest by {shown(algorithm)}, qop {shown(', '.join(offered)) or 'none'}")
    realm, nonce, count = parameters.get("realm", ""), parameters.get("nonce", ""), "00000001"
    secret = digest(f"{pair.user}:{realm}:{pair.password}".encode())
    if algorithm.lower().endswith("-sess"):
        secret = digest(f"{secret}:{nonce}:{client_nonce}".encode())
    asked = digest(f"{method}:{path}".encode())
    between = f"{nonce}:{count}:{client_nonce}:auth" if offered else nonce
    hashed = parameters.get("userhash", "").lower() == "true"
    quoted = {
        "username": digest(f"{pair.user}:{realm}".encode()) if hashed else pair.user,
        "realm": realm,
        "nonce": nonce,
        "uri": path,
        "response": digest(f"{secret}:{between}:{asked}".encode()),
    }
    plain = {"algorithm": algorithm} if "algorithm" in parameters else {}
    if offered:
        plain |= {"qop": "auth", "nc": count}
        quoted["cnonce"] = client_nonce
    if hashed:
        plain["userhash"] = "true"
    if "opaque" in parameters:
        quoted["opaque"] = parameters["opaque"]
    words = [f'{name}="{_escaped(value)}"' for name, value in quoted.items()] + [f"{name}={value}" for name, value in plain.items()]
    return "Digest " + ", ".join(words)


def _escaped(value: str) -> str:
    # A device that smuggles a line's end into its nonce must not write the next request.
    if any(letter in value for letter in "\r\n\0"):
        raise Unintelligible("a challenge with control characters")
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _best(reply: HttpReply) -> Challenge | None:
    """The strongest that is known, whatever the order (RFC 7616 3.7); the first of those that are not."""
    offered = [challenge for challenge in challenges(reply.all_of("www-authenticate")) if challenge.scheme == "digest"]
    for known in _HASHES:
        for challenge in offered:
            if challenge.parameters.get("algorithm", "MD5").lower().removesuffix("-sess") == known:
                return challenge
    return offered[0] if offered else None


@dataclass(frozen=True)
class HttpDigestLogin:
    """By SHA-256 or MD5, the stronger one that is offered. `path` must be one that nobody gets without a log-in."""

    port: int = 80
    path: str = "/"
    tls: bool = False
    protocol: str = "http-digest"
    tries_without: bool = True
    needs_user: bool = True

    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        reply = ask(dial, end, "GET", self.path, tls=self.tls)
        answer = judged(reply, "digest")
        if pair is None or answer.outcome != "refused":
            return answer
        for _ in range(1 + MOST_STALE):
            if (challenge := _best(reply)) is None:
                return judged(reply, "digest")
            header = authorization(challenge.parameters, pair, "GET", self.path, secrets.token_hex(8))
            reply = ask(dial, end, "GET", self.path, tls=self.tls, headers={"Authorization": header})
            answer = judged(reply, "digest")
            following = _best(reply)
            if answer.outcome != "refused" or following is None or following.parameters.get("stale", "").lower() != "true":
                return answer
        return Answer("not_understood", f"its nonce is stale {1 + MOST_STALE} times in a row")
