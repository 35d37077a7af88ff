# SPDX-License-Identifier: Apache-2.0
"""A log-in by an HTML form or JSON, as most web pages of devices have it: success is what its declaration says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlencode, urlsplit

from hilcop.credentials.answers import Answer, Dial, Unintelligible
from hilcop.credentials.http_client import HttpReply, ask, locked_out
from hilcop.credentials.pairs import Pair

MOST_FIELDS = 256


@dataclass(frozen=True)
class FormSuccess:
    """How a log-in that succeeded is told: all that is given must hold, and something must be given. `location` and `text` are regular
    expressions: of where it redirects to, and of the page."""

    status: int | None = None
    location: str = ""
    cookie: str = ""  # the name of one that it sets
    text: str = ""

    def __post_init__(self) -> None:
        if self.status is None and not (self.location or self.cookie or self.text):
            raise ValueError("a form's success needs a status, location, cookie or text, or nothing would tell it")

    def holds(self, reply: HttpReply) -> bool:
        location = next(iter(reply.all_of("location")), None)
        return (
            self.status in (None, reply.status)
            and (not self.location or (location is not None and re.search(self.location, location) is not None))
            and (not self.cookie or self.cookie in cookies_of(reply))
            and (not self.text or re.search(self.text, reply.text) is not None)
        )


@dataclass(frozen=True)
class HttpFormLogin:
    """`path` is where the form goes to, `page` where it is shown: then its hidden fields and cookies are sent with it, which most forms
    need. `fields`: others that it has. `user_field` empty: it asks for a password alone. A refusal is an answer like the one to a surely
    wrong password, in its status, the path that it redirects to and the names of the cookies that it sets; any other is not understood,
    nor a page that does not come whole (64 KiB within 3 s) where `text` is to tell a success. A refusal whose page speaks of a lockout,
    as the one to the wrong password does not, is one."""

    success: FormSuccess
    path: str = "/login"
    user_field: str = "username"
    password_field: str = "password"
    fields: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    kind: Literal["form", "json"] = "form"
    port: int = 80
    tls: bool = False
    protocol: str = "http-form"
    tries_without: bool = False

    @property
    def needs_user(self) -> bool:
        return bool(self.user_field)

    def attempt(self, dial: Dial, pair: Pair | None, end: float) -> Answer:
        if pair is None:
            return Answer("not_understood", "a form is nothing without a user")
        hidden: dict[str, str] = {}
        headers: dict[str, str] = {}
        if self.page:
            page = ask(dial, end, "GET", self.page, tls=self.tls)
            if no_form := _no_form(page):
                return no_form
            hidden = hidden_fields(page.text)
            if cookies := cookies_of(page):
                headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        user = {self.user_field: pair.user} if self.user_field else {}
        values = {**hidden, **self.fields, **user, self.password_field: pair.password}
        as_json = self.kind == "json"
        headers["Content-Type"] = "application/json" if as_json else "application/x-www-form-urlencoded"
        body = (json.dumps(values) if as_json else urlencode(values)).encode()
        return self._judged(ask(dial, end, "POST", self.path, tls=self.tls, headers=headers, body=body))

    def _judged(self, reply: HttpReply) -> Answer:
        if locked := locked_out(reply):
            return locked
        if self.success.holds(reply):
            return Answer("accepted", str(reply.status))
        if self.success.text and reply.cut:
            return Answer("not_understood", f"{reply.status}: its body does not come whole, and what tells a success may be in the rest")
        to = urlsplit(next(iter(reply.all_of("location")), "")).path
        shape = f"{reply.status} {to} {','.join(sorted(cookies_of(reply)))}"
        return Answer("refused", f"{reply.status}{f' to {to}' if to else ''}", shape, reply.text)


def _no_form(page: HttpReply) -> Answer | None:
    """What there is instead of it."""
    if locked := locked_out(page):
        return locked
    if page.status != 200:
        return Answer("not_understood", f"its page answers {page.status}")
    return Answer("not_understood", "its page does not come whole") if page.cut else None


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = dict(attrs)
        name = words.get("name")
        if tag == "input" and (words.get("type") or "").lower() == "hidden" and name and len(self.hidden) < MOST_FIELDS:
            self.hidden[name] = words.get("value") or ""


def hidden_fields(page: str) -> dict[str, str]:
    """Of all forms of the page. Unintelligible: it is no HTML."""
    inputs = _Inputs()
    try:
        inputs.feed(page)
        inputs.close()
    except (AssertionError, ValueError, NotImplementedError) as error:  # html.parser's own on broken declarations
        raise Unintelligible(f"no HTML: {error}") from error
    return inputs.hidden


def cookies_of(reply: HttpReply) -> dict[str, str]:
    """Names and values of RFC 6265 5.2, without attributes; one whose value is empty or that has an age of 0 is being removed."""
    found: dict[str, str] = {}
    for header in reply.all_of("set-cookie")[:MOST_FIELDS]:
        first, _, attributes = header.partition(";")
        name, equals, value = first.partition("=")
        gone = re.search(r"max-age\s*=\s*(?:0|-\d+)\s*(?:;|$)", attributes, re.IGNORECASE) is not None
        if equals and name.strip() and value.strip() and not gone and not re.search(r"[\r\n\0]", first):
            found[name.strip()] = value.strip()
    return found
