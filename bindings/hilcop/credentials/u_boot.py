# SPDX-License-Identifier: Apache-2.0
"""U-Boot's prompt: whether a key, or which text, stops its autoboot (U-Boot, doc/README.autoboot: CONFIG_AUTOBOOT_STOP_STR)."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilcop.credentials.answers import Answer, shown, shown_end
from hilcop.credentials.dialogue import Dialogue, Proof
from hilcop.credentials.pairs import Pair
from hilcop.credentials.serial_login import ConsoleLine
from hilcop.errors import Error, make

if TYPE_CHECKING:
    from hilcop._hilcop import Console


@dataclass(frozen=True)
class UBootLogin:
    """Each attempt starts the device anew by `restart` (dut.reset, or what cuts its power), waits for `autoboot` and types the password;
    without one Ctrl-C, which stops an autoboot that any key stops, and a space. Accepted: its prompt is there and carries out a command.
    Refused: it goes on to `boots`. Users are not asked for: each password of a list is tried once."""

    console: Console
    restart: Callable[[], object]
    autoboot: str = r"(?i)hit any key|autoboot in|press .{1,40} to (?:stop|abort)"
    boots: str = r"Starting kernel|Booting|Loading|## |EFI stub|No bootable|Scanning"
    protocol: str = "u-boot"
    needs_user: bool = False

    @property
    def target(self) -> str:
        return self.console.source

    def attempt(self, pair: Pair | None, end: float) -> Answer:
        line = ConsoleLine(self.console, restarts=True)
        self._restart()
        talk = Dialogue(line, end)
        autoboot, boots, prompt = re.compile(self.autoboot), re.compile(self.boots), re.compile(r"(?:=>|>|#|\$) *$")
        while not autoboot.search(talk.heard):
            if not talk.hear(end):
                if talk.heard.strip():
                    return Answer("not_understood", f"no autoboot to be stopped: {shown_end(talk.heard)}")
                raise TimeoutError
        before = len(talk.heard)
        if pair is None:
            line.send(b"\x03 ", end)
        else:
            talk.say(pair.password, secret=True)
            before = 0
        while not boots.search(talk.heard, before):
            if talk.wait(prompt, end=time.monotonic() + 0.5) == 0:
                mark = secrets.token_hex(4)
                # An unset variable is nothing: what it prints is not what was typed.
                if talk.proves(Proof(f"echo {mark}${{hilcop}}{mark}", rf"{mark}{mark}"), end):
                    return Answer("accepted", "its prompt")
                return Answer("not_understood", f"no U-Boot behind its prompt: {shown_end(talk.heard)}")
            if time.monotonic() >= end or talk.closed:
                return Answer("not_understood", f"neither stops nor boots: {shown_end(talk.heard)}")
        return Answer("refused", shown(talk.heard[before:])[:100])

    def _restart(self) -> None:
        try:
            self.restart()
        except Error:
            raise
        except (OSError, EOFError) as error:  # of a scenario's own: nothing that the device has answered
            cause, remedy = f"cannot be restarted: {error or type(error).__name__}", "see what restart= of the UBootLogin does"
            raise make("Disconnected", f"console {self.target}", cause, remedy, f"console {self.target}: {cause}; {remedy}") from error
