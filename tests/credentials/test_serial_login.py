# SPDX-License-Identifier: Apache-2.0
"""The log-in of a console against BusyBox's getty and login on a terminal, through a bench's own console."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from pathlib import Path

import hilcop
import pytest
from accounts import as_if, needs_root
from board_console import console_of_script
from hilcop.credentials import LoginProbe, SerialLogin, try_console_logins
from hilcop.credentials.pairs import Pair
from hilcop.credentials.prober import answer_of

RIGHT = ("lab", "Lab-77")


def tried(line: hilcop.Console, pairs: list[tuple[str, str]], timeout_s: float = 60) -> LoginProbe:
    return try_console_logins(SerialLogin(line), pairs, control=RIGHT, interval_s=0, answer_within_s=12, timeout_s=timeout_s)


@needs_root
def test_a_board_with_one_of_mirais_passwords_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And whoever was logged in before is logged out: a shell that is there is not yet one that needs no password."""
    shell = as_if(tmp_path, {"lab": RIGHT[1], "root": "vizxv"}, ["sh", "-c", "sh -i; while :; do busybox login; done"])
    with console_of_script(tmp_path, monkeypatch, "exec " + shlex.join(map(str, shell))) as line:
        done = tried(line, [("root", "vizxv")])
        assert line.source == done.target
    assert done.complete, done.incomplete
    assert not done.open_to_all
    assert [(attempt.index, attempt.user) for attempt in done.accepted] == [(0, "root")]
    assert done.wrong is not None
    assert "Login incorrect" in done.wrong.said
    timeline = (tmp_path / "record" / "timeline.ndjson").read_text()
    assert '"text":"root' in timeline
    assert RIGHT[1] not in timeline
    assert "vizxv" not in timeline


@needs_root
def test_a_default_password_whose_change_is_forced_is_found_and_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Linux's login and PAM, whose dialogue for the new password is there until it is interrupted."""
    shell = as_if(tmp_path, {"lab": RIGHT[1], "root": "vizxv"}, ["sh", "-c", "while :; do /bin/login; done"], {"root": 0})
    with console_of_script(tmp_path, monkeypatch, "exec " + shlex.join(map(str, shell))) as line:
        done = tried(line, [("root", "vizxv"), ("root", "vizxv")], timeout_s=180)
    assert [attempt.outcome for attempt in done.attempts] == ["accepted", "accepted"], done.attempts
    assert done.complete, done.incomplete


def test_a_refusal_whose_next_prompt_is_late_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device, or a host, that is busy for a moment, at the wrong password that all others are compared with."""
    refuses = 'echo "Login incorrect"; [ "$u" = lab ] && [ -z "$late" ] && late=1 && sleep 8'
    asks = 'printf "login: "; read u; printf "Password: "; read p'
    device = f'while :; do {asks}; if [ "$u:$p" = "lab:Lab-77" ]; then PS1="# " sh -i; else {refuses}; fi; done'
    with console_of_script(tmp_path, monkeypatch, device) as line:
        done = tried(line, [("root", "vizxv"), ("admin", "admin")])
    assert done.wrong is not None
    assert "login:" not in done.wrong.said, "its next prompt was not late"
    assert [attempt.outcome for attempt in done.attempts] == ["refused", "refused"], done.attempts
    assert done.complete, done.incomplete


def test_no_guess_becomes_a_devices_new_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for one until it has got one, whatever is done."""
    device = 'trap "" INT; while :; do printf "New password: "; read p; [ -n "$p" ] && printf "Retype password: " && read q; done'
    with console_of_script(tmp_path, monkeypatch, device) as line:
        answer = answer_of(lambda: SerialLogin(line).attempt(Pair("root", "vizxv"), time.monotonic() + 8))
    assert answer.outcome == "not_understood"
    assert "vizxv" not in (tmp_path / "record" / "timeline.ndjson").read_text(), "typed"


def test_a_shell_that_is_there_again_after_exit_is_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with console_of_script(tmp_path, monkeypatch, "while :; do PS1='# ' sh -i; done") as line:
        done = tried(line, [("root", "vizxv")])
    assert done.open_to_all
    assert done.accepts_anything
    assert not done.complete


def test_a_shell_that_does_not_end_is_not_taken_for_one_that_needs_no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asks_once = 'printf "login: "; read u; printf "Password: "; read p; while :; do PS1="# " sh -i; done'
    device = f'printf "login: "; read u; printf "Password: "; read p; {asks_once}'
    with console_of_script(tmp_path, monkeypatch, device) as line:
        done = tried(line, [("root", "vizxv")])
    assert not done.accepts_anything
    assert not done.complete
    assert "does not end" in str(done.incomplete)


def test_a_line_that_is_silent_or_lost_has_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "silent").mkdir()
    with console_of_script(tmp_path / "silent", monkeypatch, "stty -echo; exec sleep 60") as line:
        done = try_console_logins(SerialLogin(line), [("a", "b")], control=RIGHT, interval_s=0, answer_within_s=0.5, timeout_s=20)
    assert done.without is not None
    assert done.without.outcome in ("no_answer", "not_understood")
    assert "not accepted before" in str(done.incomplete)
    (tmp_path / "lost").mkdir()
    with console_of_script(tmp_path / "lost", monkeypatch, "read line; exit 1") as line:
        answer = answer_of(lambda: SerialLogin(line).attempt(None, time.monotonic() + 2))
    assert (answer.outcome, answer.said) == ("not_understood", "the console has a gap: lost")
    with pytest.raises(hilcop.Error):  # it is closed
        answer_of(lambda: SerialLogin(line).attempt(None, time.monotonic() + 2))
    events = [json.loads(text) for text in (tmp_path / "lost" / "record" / "timeline.ndjson").read_text().splitlines()]
    assert any(event["kind"] == "console.gap" for event in events)


def test_a_shell_that_takes_the_line_with_it_has_been_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaves it turns the board off, and what `leave` is sent to is no more."""
    asks = 'printf "login: "; read u; printf "Password: "; read p'
    shell = 'printf "# "; read line; eval "$line"; printf "# "; read line; exit'
    with console_of_script(tmp_path, monkeypatch, f"{asks}; {asks}; {shell}") as line:
        answer = answer_of(lambda: SerialLogin(line).attempt(Pair("root", "vizxv"), time.monotonic() + 10))
    assert (answer.outcome, answer.said) == ("accepted", "a shell")


@pytest.mark.parametrize("kind", ["Timeout", "Disconnected"])
def test_a_shell_that_cannot_be_left_has_been_reached(kind: str) -> None:
    class Line:
        """A console that takes no more once a shell has proved itself."""

        source, heard = "a.main", b""

        def mark(self) -> int:
            return len(self.heard)

        def gaps_since(self, _: int) -> list[hilcop.Gap]:
            return []

        def bytes(self, begin: int, end: int) -> bytes:
            return self.heard[begin:end]

        def try_expect(self, _: str, *, timeout_s: float) -> None:
            threading.Event().wait(timeout_s)

        def write_secret(self, text: str, *, timeout_s: float) -> None:
            self.write_line(text, timeout_s=timeout_s)

        def write_line(self, text: str, *, timeout_s: float) -> None:
            assert timeout_s > 0
            if text == "exit":
                raise hilcop.errors.make(kind, "console", "takes nothing", "look", "console: takes nothing")
            product = re.search(r"(\d+)\*(\d+)", text)
            type(self).heard += b"login: " if not text else b"Password: " if text == "root" else b"\n# "
            if product is not None:
                type(self).heard += f"{int(product[1]) * int(product[2])}\n# ".encode()

    login = SerialLogin(Line())  # type: ignore[arg-type]
    assert answer_of(lambda: login.attempt(Pair("root", "vizxv"), time.monotonic() + 10)).outcome == "accepted"
