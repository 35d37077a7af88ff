# SPDX-License-Identifier: Apache-2.0
"""SSH's log-in by a password or keyboard-interactive (RFC 4252, 4256)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import paramiko  # type: ignore[import]
from hilcop.credentials.answers import Answer, Dial, Unintelligible, left, shown, speaks_of_lockout
from hilcop.credentials.dialogue import CHANGE
from hilcop.credentials.pairs import Pair

GRACE_S = 1.0  # beyond its time, before a session that hangs is closed
MOST_PROMPTS = 4
MOST_ROUNDS = 8

_LOG = "hilcop.credentials.ssh"
logging.getLogger(_LOG).addHandler(logging.NullHandler())  # what a device says wrong is an answer, nothing to be printed


class _WantsAnother(Exception):
    """It takes the password, and asks for a new one: with the same it would refuse that, with another one the device would have changed."""


class _Session(paramiko.Transport):  # type: ignore[misc]
    """Keeps what the device said when it hung up (RFC 4253 11.1)."""

    farewell = ""

    def _parse_disconnect(self, message: Any) -> None:
        code, text = message.get_int(), message.get_text()
        self.farewell = f"{text} ({code})"  # this is another thread, which hides nothing


@dataclass(frozen=True)
class SshLogin:
    """Without credentials it is the method `none`, as root. A device that takes a password but wants something else too is not
    understood; one that takes keys alone neither, and the answer says so."""

    port: int = 22
    protocol: str = "ssh"
    tries_without: bool = True
    needs_user: bool = True

    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        with self._session(dial, end) as session:
            user = "root" if pair is None else pair.user
            try:
                session.auth_none(user)
            except paramiko.BadAuthenticationType as error:
                methods = list(error.allowed_types)
            except paramiko.AuthenticationException as error:
                return _failed(session, error, asked=False)
            else:
                return Answer("accepted", "asks for nothing")
            if pair is None:
                return Answer("refused", f"takes {', '.join(methods)}")
            return self._password(session, pair, methods)

    def _password(self, session: _Session, pair: Pair, methods: Sequence[str]) -> Answer:
        rounds = 0
        asked: set[str] = set()

        def answer(_title: str, _instructions: str, prompts: Sequence[tuple[str, bool]]) -> list[str]:
            nonlocal rounds
            rounds += 1
            if rounds > MOST_ROUNDS or len(prompts) > MOST_PROMPTS:
                raise Unintelligible(f"asks more than {MOST_ROUNDS} times, or for more than {MOST_PROMPTS} things at once")
            for prompt in (text.strip() for text, _ in prompts):
                if asked and prompt not in asked and CHANGE.search(prompt):
                    raise _WantsAnother(prompt)
            asked.update(text.strip() for text, _ in prompts)
            return [pair.password] * len(prompts)

        try:
            if "password" in methods:
                more = session.auth_password(pair.user, pair.password, fallback=False)
            elif "keyboard-interactive" in methods:
                more = session.auth_interactive(pair.user, answer)
            else:
                return Answer("not_understood", f"takes no password, but {shown(', '.join(methods))}")
        except _WantsAnother as prompt:
            return Answer("accepted", f"wants another password: {shown(str(prompt))}")
        except paramiko.BadAuthenticationType as error:
            return Answer("not_understood", f"takes no password, but {shown(', '.join(error.allowed_types))}")
        except paramiko.AuthenticationException as error:
            return _failed(session, error, asked=True)
        if more or not session.is_authenticated():
            return Answer("not_understood", f"takes it, and wants {shown(', '.join(more)) or 'more'} too")
        return Answer("accepted", shown(session.remote_version))

    @contextmanager
    def _session(self, dial: Dial, end: float) -> Iterator[_Session]:
        connection = dial(end)
        session = None
        late = threading.Event()

        def stop() -> None:
            late.set()
            connection.close()
            if session is not None:
                session.close()

        # Some of paramiko's waits have no limit of their own: they end with the session.
        watchdog = threading.Timer(max(0.0, end - time.monotonic()) + GRACE_S, stop)
        watchdog.daemon = True
        watchdog.start()
        try:
            session = _Session(connection)
            session.set_log_channel(_LOG)
            session.banner_timeout = session.handshake_timeout = session.auth_timeout = left(end)
            session.start_client(timeout=left(end))
            session.auth_timeout = left(end)
            yield session
        except (paramiko.SSHException, ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
            if late.is_set() or time.monotonic() >= end:
                raise TimeoutError from error
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, (EOFError, OSError)):
                cause = cause.__cause__ or cause.__context__
            if cause is not None:
                raise EOFError(shown(str(error))) from error
            raise Unintelligible(f"no SSH: {shown(str(error))}") from error
        except OSError as error:
            if late.is_set() or time.monotonic() >= end:
                raise TimeoutError from error
            if error.errno is None:  # paramiko's "Socket is closed"
                raise ConnectionResetError(str(error)) from error
            raise
        finally:
            watchdog.cancel()
            if session is not None:
                session.close()
            connection.close()


def _failed(session: _Session, error: paramiko.AuthenticationException, *, asked: bool) -> Answer:
    """paramiko raises the same of a device that refuses, of one that has hung up and of one that says nothing."""
    if "timeout" in str(error).lower():
        raise TimeoutError
    if session.is_active():
        return Answer("refused", "refused") if asked else Answer("not_understood", "refuses, and does not say what it takes")
    text = session.farewell
    if speaks_of_lockout(text):
        # OpenSSH hangs up where one connection has failed too often (MaxAuthTries): with a single password that is a refusal of it.
        return Answer("refused" if asked and "authentication failures" in text else "locked_out", shown(text))
    raise EOFError(shown(text))
