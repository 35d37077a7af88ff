# SPDX-License-Identifier: Apache-2.0
"""The log-in of a serial console, over a hilcop.Console that nobody else talks on."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hilcop.credentials.answers import Answer, Unintelligible, shown_end
from hilcop.credentials.dialogue import CHANGE, NAME, SECRET, SHELL, Dialogue, Proof, log_in, prompt_line, reach_prompt
from hilcop.credentials.pairs import Pair
from hilcop.errors import Error

if TYPE_CHECKING:
    from hilcop._hilcop import Console

LEAVES_S = 5.0  # a shell that `exit` ends, until the log-in is there again


class ConsoleLine:
    """What a console receives from now on, byte for byte. Bytes that were lost are Unintelligible, for it may be the bench that lost
    them; but for `restarts`: where the device's own power comes and goes with it."""

    def __init__(self, console: Console, *, restarts: bool = False) -> None:
        self._console, self._restarts = console, restarts
        self._begin = self._taken = console.mark()
        self._gaps = len(console.gaps_since(self._begin))

    def receive(self, end: float) -> bytes:
        while True:
            if not self._restarts and len(gaps := self._console.gaps_since(self._begin)) > self._gaps:
                raise Unintelligible(f"the console has a gap: {gaps[-1].cause}")
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

    def send_secret(self, text: str, end: float) -> None:
        self._console.write_secret(text, timeout_s=max(0.1, end - time.monotonic()))

    def send(self, data: bytes, end: float) -> None:
        self._console.write(data, timeout_s=max(0.1, end - time.monotonic()))


@dataclass
class SerialLogin:
    """A shell that is there already is left by `leave`, once: then either it asks for a log-in, or it needs none. A password that
    the device echoes stands in the console's recording, also the control's; on the timeline it does not."""

    console: Console
    proof: Proof | None = None
    leave: str = "exit"
    protocol: str = "serial"
    needs_user: bool = True
    _asks: bool = field(default=False, init=False)  # for a log-in, as was seen before

    @property
    def target(self) -> str:
        return self.console.source

    def attempt(self, pair: Pair | None, end: float) -> Answer:
        line = ConsoleLine(self.console)
        talk = Dialogue(line, end)
        talk.say("")
        found = reach_prompt(talk, end)
        if found == SHELL:  # of whoever was here before, or open to everybody
            talk.say(self.leave)
            found = reach_prompt(talk, end)
        if found == SHELL and self._asks:
            return Answer("not_understood", f"a shell that '{self.leave}' does not end: give what does")
        if found == SECRET:  # somebody's name was typed: no password, and from the begin
            self._say_nothing(line, talk, end)
            found = reach_prompt(talk, end)
        if found == SECRET and CHANGE.search(prompt_line(talk.heard)):
            return Answer("not_understood", f"a dialogue that does not end: {shown_end(talk.heard)}")  # a guess would be the new password
        self._asks = self._asks or found in (NAME, SECRET)
        answer = log_in(talk, found, pair, self.proof, end)
        if answer.outcome == "accepted":
            # It has let us in, whatever becomes of the line then: a console that stays lost says so at the next one.
            with contextlib.suppress(Error, OSError, EOFError, Unintelligible):
                if CHANGE.search(prompt_line(talk.heard)):
                    self._say_nothing(line, talk, end)
                else:
                    talk.say(self.leave)
                reach_prompt(talk, min(end, time.monotonic() + LEAVES_S))
        return answer

    @staticmethod
    def _say_nothing(line: ConsoleLine, talk: Dialogue, end: float) -> None:
        """To a prompt for a password; one for a new password is interrupted, for whatever is typed could become that."""
        if CHANGE.search(prompt_line(talk.heard)):
            line.send(b"\x03", end)
        talk.say("")
