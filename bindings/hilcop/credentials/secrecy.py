# SPDX-License-Identifier: Apache-2.0
"""Keeps what was typed out of what is kept: a device may repeat it, as it came or as its protocol writes it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote, quote_plus

from hilcop.credentials.pairs import Pair

HOLE = "***"
BEGINS = 3  # letters of a password that count as its begin, where what was heard ends in the middle of it

_hidden: ContextVar[tuple[str, ...]] = ContextVar("hidden", default=())


def forms_of(pair: Pair) -> set[str]:
    """How its password may be written."""
    password = pair.password
    if not password:
        return set()
    plain = {password, password.encode().decode("latin-1"), " ".join(password.split())}  # UTF-8 is so where bytes are read as Latin-1
    written = {quote(password, safe=""), quote_plus(password), html.escape(password), json.dumps(password)[1:-1], repr(password)[1:-1]}
    coded = {base64.b64encode(text.encode()).decode() for text in (password, f"{pair.user}:{password}")}
    return (plain | written | coded) - {""}


@contextmanager
def hiding(forms: Iterable[str]) -> Iterator[None]:
    """Until the block ends, on this thread, without_hidden() leaves them out."""
    token = _hidden.set(tuple(sorted(forms, key=len, reverse=True)))  # the longest first: one may stand in another
    try:
        yield
    finally:
        _hidden.reset(token)


def without_hidden(text: str) -> str:
    """A form takes with it the word that it stands in, or the hole would tell it ("***word"); so a password of one letter takes all words
    with that letter, and no other rule is needed for short ones."""
    for form in _hidden.get():
        text = _without(text, form)
        begin = next((form[:length] for length in range(len(form) - 1, BEGINS - 1, -1) if text.endswith(form[:length])), "")
        if begin:
            text = text.removesuffix(begin) + HOLE
    return text


def _without(text: str, form: str) -> str:
    pieces, at = [], 0
    while (found := text.find(form, at)) >= 0:
        begin, end = found, found + len(form)
        while begin > at and text[begin - 1].isalnum():
            begin -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        pieces += [text[at:begin], HOLE]
        at = end
    return "".join(pieces) + text[at:]
