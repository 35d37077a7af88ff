# SPDX-License-Identifier: Apache-2.0
"""What a device answers to a log-in, and what asks it."""

from __future__ import annotations

import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from hilcop.credentials.pairs import Pair
from hilcop.credentials.secrecy import without_hidden

Outcome = Literal["accepted", "refused", "locked_out", "disconnected", "no_answer", "not_understood"]
MOST_SAID = 200  # characters of a device's answer that are kept
_LOOKED_AT = 8 << 10  # characters of it that what was typed is looked for in: what is kept is well within

_LOCKED = re.compile(
    r"too many|lock(?:ed)?[ -]?out|(?<!b)locked|try again (?:later|in|after)|temporarily (?:blocked|disabled|unavailable)|banned|"
    r"(?:limit|attempts|rate) (?:is )?exceeded|exceeded the",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Answer:
    outcome: Outcome
    said: str = ""  # by the device, through shown(), which leaves out what was typed
    shape: str = ""  # where a refusal has many forms: one of another form than a surely wrong password's is not understood
    words: str = ""  # of a refusal, where a lockout may be said without a code: whatever is not said to a surely wrong password too


class Unintelligible(Exception):
    """The device says what its protocol does not know, or more than anybody needs."""


@dataclass(frozen=True)
class Dial:
    """Opens a connection to the device."""

    address: str
    port: int
    connect: Callable[[float], socket.socket]  # seconds it may take

    def __call__(self, end: float) -> socket.socket:
        """By `end` (of time.monotonic())."""
        return self.connect(left(end))


class NetworkLogin(Protocol):
    """A protocol with a log-in at a TCP port."""

    @property
    def protocol(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def tries_without(self) -> bool: ...  # whether it can be asked without any credentials
    @property
    def needs_user(self) -> bool: ...  # or each password of a list is tried once
    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        """Tries a pair, or without any, on connections of its own, by `end`. Raises TimeoutError (no answer), ConnectionError, EOFError (it
        hung up), Unintelligible; nothing else but the bench's own errors."""


class ConsoleLogin(Protocol):
    """A log-in on a console. The same as NetworkLogin, without a connection."""

    @property
    def protocol(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def needs_user(self) -> bool: ...
    def attempt(self, pair: Pair | None, end: float) -> Answer: ...


def left(end: float) -> float:
    """Seconds; TimeoutError where there are none."""
    if (seconds := end - time.monotonic()) <= 0:
        raise TimeoutError
    return seconds


def speaks_of_lockout(text: str) -> bool:
    return _LOCKED.search(text) is not None


def words_of(text: str, pair: Pair) -> str:
    """For a shape: without numbers, and without what was typed."""
    for typed in sorted({pair.user, pair.password} - {""}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(typed)}(?!\w)", "~", text)
    return re.sub(r"\d+", "#", text).lower()


def lockout_said(words: str, wrong: str) -> str:
    """Where `words` speak of a lockout as `wrong`, what a surely wrong password was told, does not; else nothing. A page may always have
    such words in its scripts."""
    usual = Counter(match.group().lower() for match in _LOCKED.finditer(wrong))
    for match in _LOCKED.finditer(words):
        usual[match.group().lower()] -= 1
        if usual[match.group().lower()] < 0:
            return match.group()
    return ""


def shown(text: str | bytes) -> str:
    """In short, on one line, printable. What was typed is left out before: afterwards it could be cut, and stand there in part."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _told(words[:_LOOKED_AT])[:MOST_SAID]


def shown_end(text: str) -> str:
    """The same of its last 100 characters."""
    return _told(text[-_LOOKED_AT:])[-100:]


def _told(text: str) -> str:
    words = "".join(letter if letter.isprintable() else " " for letter in without_hidden(text))
    return without_hidden(" ".join(words.split()))  # once more: a device may break lines where it repeats something
