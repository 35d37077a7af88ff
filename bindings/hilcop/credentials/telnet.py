# SPDX-License-Identifier: Apache-2.0
"""Telnet's log-in: options (RFC 854, 855), prompts, and a shell that proves itself."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from hilcop.credentials.answers import Answer, Dial
from hilcop.credentials.dialogue import Dialogue, Proof, log_in, reach_prompt
from hilcop.credentials.pairs import Pair
from hilcop.credentials.wire import Wire, opened, soon

_SE, _SB, _WILL, _WONT, _DO, _DONT, _IAC = 240, 250, 251, 252, 253, 254, 255
_ECHO, _SUPPRESS_GO_AHEAD = 1, 3  # RFC 857, 858: the device's to do, if it wants
MOST_REPLIES = 512  # to options: a device that never ends asking is not served for ever


class Options:
    """Takes telnet's commands out of what is received, however it is cut, and says what is to be answered: no option is wanted, but those
    of a terminal that the device echoes for. An answer is given once for each change (RFC 854), so that two ends never loop."""

    def __init__(self) -> None:
        self._state = "text"  # then: command, option, inside, inside command
        self._command = 0
        self._settled: dict[tuple[bool, int], bool] = {}
        self._replies = 0

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """Text, and what is to be sent."""
        text, reply = bytearray(), bytearray()
        for byte in data:
            if self._state == "text":
                if byte == _IAC:
                    self._state = "command"
                else:
                    text.append(byte)
            elif self._state == "command":
                self._state = "text"
                if byte == _IAC:
                    text.append(byte)
                elif byte == _SB:
                    self._state = "inside"
                elif _WILL <= byte <= _DONT:
                    self._state, self._command = "option", byte
            elif self._state == "option":
                self._state = "text"
                reply += self._answer(self._command, byte)
            elif self._state == "inside":
                self._state = "inside command" if byte == _IAC else "inside"
            else:
                self._state = "text" if byte == _SE else "inside"
        return bytes(text), bytes(reply)

    def _answer(self, command: int, option: int) -> bytes:
        theirs, on = command in (_WILL, _WONT), command in (_WILL, _DO)
        wanted = on and theirs and option in (_ECHO, _SUPPRESS_GO_AHEAD)
        before = self._settled.get((theirs, option))
        if before is wanted or (before is None and not on):
            return b""  # as it is already
        self._settled[theirs, option] = wanted
        self._replies += 1
        if self._replies > MOST_REPLIES:
            return b""
        return bytes([_IAC, (_DO if wanted else _DONT) if theirs else _WONT, option])


class _Session:
    def __init__(self, wire: Wire) -> None:
        self._wire, self._options = wire, Options()

    def receive(self, end: float) -> bytes:
        whole = self._wire.end
        self._wire.end = min(whole, end)
        try:
            while True:
                if not (data := self._wire.receive()):
                    return b""
                text, reply = self._options.take(data)
                if reply:
                    self._wire.send(reply)
                if text:
                    return text
        finally:
            self._wire.end = whole

    def send_line(self, text: str, end: float) -> None:
        self._wire.end = end
        self._wire.send(text.encode().replace(b"\xff", b"\xff\xff") + b"\r\n")  # RFC 854, the NVT's end of line

    send_secret = send_line


@dataclass(frozen=True)
class TelnetLogin:
    """A shell proves itself by `proof`; without one by what a POSIX shell computes. A device's own command line needs its own."""

    port: int = 23
    proof: Proof | None = None
    protocol: str = "telnet"
    tries_without: bool = True
    needs_user: bool = True

    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        with opened(dial, end) as wire:
            session = _Session(wire)
            talk = Dialogue(session, end)
            answer = log_in(talk, reach_prompt(talk, end), pair, self.proof, end)
            if answer.outcome == "accepted":
                with contextlib.suppress(OSError):  # it may hang up at once
                    session.send_line("exit", soon(end, 1))
            return answer
