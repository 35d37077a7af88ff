# SPDX-License-Identifier: Apache-2.0
"""FTP's log-in (RFC 959 4.1.1, replies 4.2 and 5.4; TLS: RFC 4217)."""

from __future__ import annotations

import contextlib
import ftplib
import io
import re
from dataclasses import dataclass
from typing import Literal

from hilcop.credentials.answers import Answer, Dial, Unintelligible, shown, speaks_of_lockout, words_of
from hilcop.credentials.pairs import Pair
from hilcop.credentials.wire import Wire, opened, soon

ANONYMOUS = Pair("anonymous", "hilcop@")  # RFC 1635


class _Session(ftplib.FTP):
    """ftplib's, on a connection that is open already."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.take(wire)

    def take(self, wire: Wire) -> None:
        self._wire, self.sock = wire, wire.socket
        self._lines = io.TextIOWrapper(wire.makefile(), encoding="latin-1", newline="\n")

    def getline(self) -> str:
        line = self._lines.readline(self.maxline + 1)
        if len(line) > self.maxline:
            raise Unintelligible(f"no FTP: a line of more than {self.maxline} bytes")
        if not line.endswith("\n"):
            raise EOFError  # half a reply is none
        return line.rstrip("\r\n")

    def said(self, command: str = "") -> tuple[int, str]:
        """The reply to a command, or to nothing: code and text."""
        if command:
            self._wire.send(command.encode() + b"\r\n")
        reply = self.getmultiline()
        if not re.match("[1-5][0-9]{2}", reply):
            raise Unintelligible(f"no FTP: {shown(reply)}")
        return int(reply[:3]), reply


@dataclass(frozen=True)
class FtpLogin:
    """Without credentials it is anonymous FTP. `tls` explicit is AUTH TLS, implicit TLS from the first byte (port 990)."""

    port: int = 21
    tls: Literal["", "explicit", "implicit"] = ""
    protocol: str = "ftp"
    tries_without: bool = True
    needs_user: bool = True

    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        with opened(dial, end, tls=self.tls == "implicit") as wire:
            session = _Session(wire)
            code, text = session.said()
            if code != 220:
                return _refusal(code, text)
            if self.tls == "explicit":
                code, text = session.said("AUTH TLS")
                if code != 234:
                    return Answer("not_understood", shown(text))
                wire.secure(dial.address)
                session.take(wire)
            answer = _logged_in(session, ANONYMOUS if pair is None else pair)
            with contextlib.suppress(OSError, Unintelligible):  # what it has answered stands, whatever it does then
                wire.end = soon(end, 1)
                wire.send(b"QUIT\r\n")  # or a server that counts its clients may count this one on
            return answer


def _logged_in(session: _Session, who: Pair) -> Answer:
    code, text = session.said(f"USER {who.user}")
    if code == 230:
        return Answer("accepted", f"asks for no password: {shown(text)}")
    if code != 331:
        return _refusal(code, text, who)
    code, text = session.said(f"PASS {who.password}")
    return Answer("accepted", shown(text)) if code in (202, 230) else _refusal(code, text, who)


def _refusal(code: int, text: str, who: Pair | None = None) -> Answer:
    """`who` was refused, or nobody: then it takes no connection, whoever it is."""
    if code in (421, 430, 450, 530) and speaks_of_lockout(text):
        return Answer("locked_out", shown(text))
    if code in (430, 530) and who is not None:
        # 530 is also for too many clients, and for a user who may not now: only the words to a wrong password refuse one.
        return Answer("refused", shown(text), words_of(text, who))
    if code == 421:  # it closes the connection, whatever was asked
        return Answer("disconnected", shown(text))
    return Answer("not_understood", shown(text))
