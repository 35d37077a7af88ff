# SPDX-License-Identifier: Apache-2.0
"""No password stands in what is kept, in whatever form and however late a device repeats it."""

from __future__ import annotations

import base64
import html
import json
import random
import socket
import time
from urllib.parse import quote_plus

import pytest
from hilcop.credentials import HttpBasicLogin, TelnetLogin, pairs_of
from hilcop.credentials.answers import Answer, Unintelligible, shown, shown_end
from hilcop.credentials.pairs import Pair
from hilcop.credentials.prober import Asked, probe
from hilcop.credentials.secrecy import forms_of, hiding
from rig import Device, pace, tried

RIGHT = ("lab", 's3cret of the  lab \xe9&"<')
GUESSES = [("root", "two  spaces"), ("root", "7h"), ("root", "Zq"), ("root", "wrong1"), ("root", "last-one")]


def kept_of(echo: str, *, raises: bool = False) -> str:
    """What is kept of a device that repeats what it is told and was told, after `echo`."""
    told: list[str] = []

    def device(pair: Pair | None, _: float) -> Answer:
        told.append(pair.password if pair else "")
        said = echo + ", ".join(reversed(told))
        if pair == Pair(*RIGHT):
            return Answer("accepted", said)
        if raises and pair is not None and pair.password == GUESSES[-1][1]:
            raise Unintelligible(shown(said))
        return Answer("refused", shown(said))

    done = probe(Asked("played", "device", device), pairs_of(GUESSES, name="mine"), RIGHT, pace())
    assert len(done.attempts) == len(GUESSES)
    assert "***" in done.attempts[-1].said or len(echo) > 197
    return json.dumps([*done.as_json()["attempts"], done.as_json()["control_after"]], ensure_ascii=False)


@pytest.mark.parametrize("border", [*range(175, 202), 0])
@pytest.mark.parametrize("raises", [False, True])
def test_none_stands_in_the_evidence_wherever_it_is_cut(border: int, raises: bool) -> None:
    kept = kept_of("-" * border, raises=raises)
    for _, password in (*GUESSES, RIGHT):
        for length in range(min(3, len(password)), len(password) + 1):
            begin = password[:length]
            assert begin not in kept, begin
            assert " ".join(begin.split()) not in kept or not begin.strip(), begin


def test_forms_of_a_password_are_hidden_and_take_their_word_with_them() -> None:
    user, password = RIGHT
    forms = forms_of(Pair(user, password))
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    with hiding(forms | forms_of(Pair("a", "pass")) | forms_of(Pair("a", "Q"))):
        for form in (password, quote_plus(password), html.escape(password), coded, password.encode().decode("latin-1")):
            assert shown(f"you said {form}, and so on") == "you said ***, and so on"
            assert shown_end(f"{'-' * 200}{form}.") == ("-" * 200 + "***.")[-100:]
            assert shown(f"no: {form[:7]}") == "no: ***", "it had not come whole"
        assert shown("bad bypasses or Quiet") == "bad *** or ***", "a hole in a word would tell it"
        assert shown("Login incorrect") == "Login incorrect"
    assert shown(password) == " ".join(password.split())


def test_a_telnet_that_echoes_and_a_web_page_that_repeats_tell_none() -> None:
    secret = "hunter2  " + "x" * 190

    def telnet(connection: socket.socket) -> None:
        connection.sendall(b"login: ")
        connection.recv(4096)
        connection.sendall(b"Password: ")
        connection.sendall(b"-" * 95 + connection.recv(4096) + b"Login incorrect\r\nlogin: ")
        connection.recv(4096)

    def web(connection: socket.socket) -> None:
        said = connection.recv(8192).decode()
        given = said.partition("Authorization: Basic ")[2].partition("\r")[0]
        connection.sendall(f"HTTP/1.1 302 x\r\nLocation: /{'-' * 80}?{given}\r\n\r\n".encode())

    with Device(telnet) as device:
        done = tried(TelnetLogin(port=device.port), [("root", secret)], None)
    assert done.attempts[0].outcome == "refused"
    assert "hunter2" not in json.dumps(done.as_json())
    assert "xxx" not in json.dumps(done.as_json())
    with Device(web) as device:
        done = tried(HttpBasicLogin(port=device.port), [("root", "x")], ("root", secret))
    given = base64.b64encode(f"root:{secret}".encode()).decode()
    assert done.control_before is not None
    assert "***" in done.control_before.said
    assert not any(given[:length] in json.dumps(done.as_json()) for length in range(4, 40))


def test_any_text_is_hidden_in_and_in_time() -> None:
    chance = random.Random(6)
    passwords = ["".join(chance.choices("ab *", k=chance.randrange(1, 5))) for _ in range(40)]
    for _ in range(300):
        typed = {form for password in chance.sample(passwords, 3) for form in forms_of(Pair("u", password)) if "*" not in form}
        with hiding(typed):
            kept = shown("".join(chance.choices("ab *", k=60)))
        assert not any(form in kept for form in typed if form.strip()), (typed, kept)
    many = {form for number in range(1000) for form in forms_of(Pair("root", f"guess{number}"))}
    begin = time.monotonic()
    with hiding(many):
        shown("a" * (64 << 10) + "guess12")
        shown("guess " * (10 << 10))
    assert time.monotonic() - begin < 2
