# SPDX-License-Identifier: Apache-2.0
"""The log-in of a serial console, over a hilcop.Console that nobody else talks on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilcop.credentials.answers import Answer
from hilcop.credentials.dialogue import Dialogue, Proof, log_in, reach_prompt
from hilcop.credentials.pairs import Pair

if TYPE_CHECKING:
    from hilcop._hilcop import Console

LEAVES_S = 5.0  # a shell that `exit` ends, until the log-in is there again


class ConsoleLine:
    """What a console receives from now on, byte for byte."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._taken = console.mark()

    def receive(self, end: float) -> bytes:
        while True:
            # What comes between the mark and the wait is judged by the wait: nothing is missed.
            if (there := self._console.mark()) > self._taken:
                data = self._console.bytes(self._taken, there)
                self._taken = there
                return data
            if (seconds := end - time.monotonic()) <= 0:
                raise TimeoutError
            self._console.try_expect(r"[\s\S]", timeout_s=seconds)

    def send_line(self, text: str, end: float) -> None:
        self._console.write_line(text, timeout_s=max(0.1, end - time.monotonic()))

    def send(self, data: bytes, end: float) -> None:
        self._console.write(data, timeout_s=max(0.1, end - time.monotonic()))


@dataclass(frozen=True)
class SerialLogin:
    """A shell that is there already is left by `exit`, once: then either it asks for a log-in, or it needs none. What is typed on a
    console stands in its recording, with console.sent on the timeline: also the control's password."""

    console: Console
    proof: Proof | None = None
    protocol: str = "serial"
    needs_user: bool = True

    @property
    def target(self) -> str:
        return self.console.source

    def attempt(self, pair: Pair | None, end: float) -> Answer:
        talk = Dialogue(ConsoleLine(self.console), end)
        talk.say("")
        found = reach_prompt(talk, end)
        if found == 2:  # of whoever was here before, or open to everybody
            talk.say("exit")
            found = reach_prompt(talk, end)
        if found == 1:  # somebody's name was typed: no password, and from the begin
            talk.say("")
            found = reach_prompt(talk, end)
        answer = log_in(talk, found, pair, self.proof, end)
        if answer.outcome == "accepted":
            talk.say("exit")
            reach_prompt(talk, min(end, time.monotonic() + LEAVES_S))
        return answer
