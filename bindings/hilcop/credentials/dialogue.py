# SPDX-License-Identifier: Apache-2.0
"""A log-in by prompts, as telnet and a serial line have it: "login:", "Password:", and a shell that proves itself."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import Protocol

from hilcop.credentials.answers import Answer, Unintelligible, shown, shown_end, speaks_of_lockout, words_of
from hilcop.credentials.pairs import Pair
from hilcop.credentials.wire import soon
from hilcop.errors import Error

MOST_HEARD = 64 << 10  # bytes of one attempt
SETTLES_S = 0.2  # a prompt is the end of what is said: nothing has come for so long
NUDGES = 4

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00\r]")  # a line editor's colours and questions are no text
# "Last login: Tue" is no prompt, not even when it has come just so far.
_LOGIN = re.compile(r"(?:(?<!last )(?<!failed )login|user ?name|user) ?: *$", re.IGNORECASE)
_PASSWORD = re.compile(r"pass(?:word|code|phrase)(?: for [^\n:]{1,80})? ?: *$", re.IGNORECASE)
_PROMPT = re.compile(r"[#$>%] *$")
_REFUSED = re.compile(r"incorrect|invalid|denied|(?<!last )fail|wrong|\bbad\b|not authori[sz]ed|unauthori[sz]ed", re.IGNORECASE)
# Who is to give another password or name has given the right one.
CHANGE = re.compile(r"\b(?:new|current|old|chang(?:e|ed|ing)|expired?|re-?type|re-?enter|confirm|choose)\b", re.IGNORECASE)
_KERNEL = re.compile(r"^\[ *\d+\.\d+\]")  # its lines come between, whatever was typed


class Line(Protocol):
    """A telnet session, or a console."""

    def receive(self, end: float) -> bytes:
        """What has come, at least a byte; nothing: it is closed. TimeoutError at `end`."""

    def send_line(self, text: str, end: float) -> None: ...

    def send_secret(self, text: str, end: float) -> None:
        """send_line(), but what is kept of the run does not have it."""


@dataclass(frozen=True)
class Proof:
    """What tells a shell from a prompt that looks like one: a line, and a regular expression of what it must print. ValueError: the line
    has that itself, so that its echo would prove it."""

    command: str
    prints: str

    def __post_init__(self) -> None:
        if re.search(self.prints, self.command):
            raise ValueError(f"'{self.prints}' stands in '{self.command}' itself: an echo would prove a shell")

    @staticmethod
    def of_shell() -> Proof:
        """A product that a POSIX shell computes (POSIX.1 XCU 2.6.4). Another one each time."""
        left, right = (1000 + secrets.randbelow(9000) for _ in range(2))
        return Proof(f"echo $(({left}*{right}))", rf"(?<!\d){left * right}(?!\d)")


class Dialogue:
    """What was heard since the last line that was sent."""

    def __init__(self, line: Line, end: float) -> None:
        self._line, self._end = line, end
        self._heard, self._bytes = "", 0
        self.closed = False

    @property
    def heard(self) -> str:
        return self._heard

    def say(self, text: str, *, secret: bool = False) -> None:
        self._heard = ""
        (self._line.send_secret if secret else self._line.send_line)(text, self._end)

    def hear(self, end: float) -> bool:
        """Whether something came by then."""
        if self.closed:
            return False
        try:
            data = self._line.receive(min(end, self._end))
        except Error:  # a console's own, which are the bench's
            raise
        except TimeoutError:
            return False
        except ConnectionError:
            data = b""
        self.closed = not data
        self._bytes += len(data)
        if self._bytes > MOST_HEARD:
            raise Unintelligible(f"says more than {MOST_HEARD} bytes")
        self._heard = _CONTROL.sub("", self._heard + data.decode("latin-1"))
        return bool(data)

    def wait(self, *patterns: re.Pattern[str], end: float) -> int | None:
        """Which of them ends what is said, once it has said that for a moment; None: it is closed, or none does by `end`."""
        end = min(end, self._end)
        while not self.closed:
            tail = self._heard[-200:]
            found = next((at for at, pattern in enumerate(patterns) if pattern.search(tail)), None)
            if found is not None and not self.hear(soon(end, SETTLES_S)) and not self.closed:
                return found
            if found is None and not self.hear(end):
                break
        return None

    def proves(self, proof: Proof, end: float) -> bool:
        """Whether a shell carries out the line; its echo proves nothing."""
        self.say(proof.command)
        prints = re.compile(proof.prints)
        while not prints.search(self._heard):
            if not self.hear(end):
                return False
        return True


NAME, SECRET, SHELL = range(3)  # what a prompt asks for; the last: it may be a shell's


def reach_prompt(talk: Dialogue, end: float) -> int | None:
    """NAME, SECRET, SHELL; None: none of them by `end`, or it is closed. Empty lines wake it up."""
    begin = time.monotonic()
    for nudge in range(1, NUDGES + 1):
        found = _prompt(talk, begin + (end - begin) * nudge / (NUDGES + 1))
        if found is not None or talk.closed:
            return found
        talk.say("")
    return _prompt(talk, end)


def _prompt(talk: Dialogue, end: float) -> int | None:
    return talk.wait(_LOGIN, _PASSWORD, _PROMPT, end=end)


def log_in(talk: Dialogue, found: int | None, pair: Pair | None, proof: Proof | None, end: float) -> Answer:
    """From a prompt that was reached on. With what it has of time it tells a refusal (another prompt for a name or a password), a shell
    (which carries out `proof`) and neither apart. Raises TimeoutError, EOFError, Unintelligible."""
    if found is None:
        return _unfinished(talk)
    if found == SHELL:
        return _proven(talk, "asks for nothing", proof, end)
    if pair is None:
        return Answer("refused", shown_end(talk.heard))
    asked = {prompt_line(talk.heard)}
    if found == NAME:
        talk.say(pair.user)
        found = _prompt(talk, end)
        if found == SHELL:
            return _proven(talk, "asks for no password", proof, end)
        if found != SECRET:
            return _unfinished(talk)
        asked.add(prompt_line(talk.heard))
    talk.say(pair.password, secret=True)
    return _after_password(talk, pair, asked, proof, end)


def _after_password(talk: Dialogue, pair: Pair, asked: set[str], proof: Proof | None, end: float) -> Answer:
    # A prompt that nobody knows, or none at all: half of the time is left to ask a shell that may be there.
    found = _prompt(talk, time.monotonic() + (end - time.monotonic()) / 2)
    said = talk.heard
    if speaks_of_lockout(said):
        return Answer("locked_out", shown(said))
    if found in (NAME, SECRET) or (found is None and _REFUSED.search(said)):
        return _asked_again(said, found, pair, asked)
    if found is None and talk.closed:
        return _unfinished(talk)
    answer = _proven(talk, "", proof, end)
    if answer.outcome == "refused":
        return _asked_again(f"{said}\n{talk.heard}", found, pair, asked)
    return answer


def _asked_again(said: str, found: int | None, pair: Pair, asked: set[str]) -> Answer:
    """A prompt after a password: for another try, or for what only somebody is asked who is in."""
    refused, last = _REFUSED.search(said) is not None, prompt_line(said)
    if last not in asked and CHANGE.search(last):
        if refused:
            return Answer("not_understood", f"refuses, or wants another password: {shown(said)}")
        return Answer("accepted", f"wants another one: {shown(said)}")
    if CHANGE.search(said.removesuffix(said.rpartition("\n")[2])) and not refused:
        return Answer("not_understood", f"may want another password: {shown(said)}")
    # Where it says that it refuses, what it asks next may come late, and makes no other refusal of it.
    return Answer("refused", shown(said), _words(said, pair) if refused else f"{found} {_words(said, pair)}")


def prompt_line(said: str) -> str:
    """The line that a prompt is, in lower case."""
    return said.rpartition("\n")[2].strip().lower()


def _words(said: str, pair: Pair) -> str:
    """Of the lines that refuse, or of all where none does."""
    lines = [line.strip() for line in said.split("\n") if line.strip() and not _KERNEL.match(line.strip())]
    return words_of("\n".join([line for line in lines if _REFUSED.search(line)] or lines), pair)


def _proven(talk: Dialogue, asks: str, proof: Proof | None, end: float) -> Answer:
    before = shown_end(talk.heard)
    if talk.proves(proof or Proof.of_shell(), end):
        return Answer("accepted", asks or "a shell")
    if _LOGIN.search(talk.heard) or _PASSWORD.search(talk.heard):
        return Answer("refused", before)
    return Answer("not_understood", f"no shell behind '{before}': give the proof that it takes")


def _unfinished(talk: Dialogue) -> Answer:
    if speaks_of_lockout(talk.heard):
        return Answer("locked_out", shown(talk.heard))
    if talk.closed:
        raise EOFError(shown(talk.heard))
    if talk.heard.strip():
        return Answer("not_understood", f"no prompt that is known: {shown_end(talk.heard)}")
    raise TimeoutError
