# SPDX-License-Identifier: Apache-2.0
"""Log-ins by a form, against a page with sessions and tokens that http.server serves: success is what its declaration says."""

from __future__ import annotations

import json
import random
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from hilcop.credentials import FormSuccess, HttpFormLogin
from hilcop.credentials.answers import Unintelligible
from hilcop.credentials.http_client import HttpReply
from hilcop.credentials.http_form import cookies_of, hidden_fields
from rig import HOME, Device, one, tried

RIGHT = ("admin", "Lab&77=x+y \xe9")
GUESSES = [("admin", "admin"), ("root", "vizxv"), ("admin", "")]


class Camera(ThreadingHTTPServer):
    """Its form is taken once only, with the token and the cookie of the page that showed it."""

    daemon_threads = True
    takes = (RIGHT, ("root", "vizxv"))

    def __init__(self) -> None:
        super().__init__((HOME, 0), Page)
        self.port = int(self.server_address[1])
        self.tokens: dict[str, str] = {}


class Page(BaseHTTPRequestHandler):
    server: Camera

    def log_message(self, *_: object) -> None:
        return

    def answer(self, status: int, body: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self) -> None:
        session, token = secrets.token_hex(8), secrets.token_hex(8) + '"<'
        self.server.tokens[session] = token
        form = f"<form><input type=HIDDEN name='csrf' value='{token.replace(chr(34), '&quot;')}'><input name=u><input name=p type=password>"
        self.answer(200, form, Set_Cookie=f"session={session}; HttpOnly; Path=/")

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/json":
            values = json.loads(said)
            good = (values["u"], values["p"]) in self.server.takes
            self.answer(200, json.dumps({"ok": good}))
            return
        fields = {name: values[0] for name, values in parse_qs(said, keep_blank_values=True).items()}
        session = (self.headers["Cookie"] or "").removeprefix("session=")
        if not session or self.server.tokens.pop(session, None) != fields.get("csrf"):
            self.answer(400, "no token")
        elif (fields["u"], fields["p"]) in self.server.takes and fields["action"] == "login":
            self.answer(302, "", Location="/home", Set_Cookie="auth=1")
        else:
            self.answer(302, "", Location="/login?error=1")


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join(20)
    made.server_close()


def form(camera: Camera, success: FormSuccess, page: str = "/login") -> HttpFormLogin:
    return HttpFormLogin(success, "/login", "u", "p", {"action": "login"}, page, port=camera.port)


@pytest.mark.parametrize("success", [FormSuccess(location="^/home$"), FormSuccess(cookie="auth"), FormSuccess(status=302, location="home")])
def test_a_default_password_is_found_by_each_way_to_tell_success(camera: Camera, success: FormSuccess) -> None:
    done = tried(form(camera, success), GUESSES, RIGHT)
    assert done.complete, done.incomplete
    assert [attempt.index for attempt in done.accepted] == [1]
    assert done.without is None


def test_json_is_told_by_its_text(camera: Camera) -> None:
    login = HttpFormLogin(FormSuccess(text='"ok": true'), "/json", "u", "p", kind="json", port=camera.port)
    done = tried(login, GUESSES, RIGHT)
    assert done.complete, done.incomplete
    assert [attempt.index for attempt in done.accepted] == [1]


def test_a_success_that_is_none_of_the_devices_is_seen_by_the_control(camera: Camera) -> None:
    done = tried(form(camera, FormSuccess(location="^/welcome$")), GUESSES, RIGHT)
    assert "control log-in was not accepted before: refused (302 to /home)" in str(done.incomplete)


def test_a_success_that_a_failure_has_too_is_seen_by_the_wrong_password(camera: Camera) -> None:
    done = tried(form(camera, FormSuccess(status=302)), GUESSES, RIGHT)
    assert done.accepts_anything
    assert not done.complete


def test_a_form_without_its_token_is_no_log_in(camera: Camera) -> None:
    done = tried(form(camera, FormSuccess(cookie="auth"), page=""), GUESSES, RIGHT)
    assert "not accepted before: refused (400)" in str(done.incomplete)


def test_an_answer_like_no_refusal_is_not_understood() -> None:
    """The fourth question is answered by another page: a lockout that nobody declared, or the one for changing a default password."""
    asked = 0

    def serve(connection: socket.socket) -> None:
        nonlocal asked
        said = connection.recv(4096)
        asked += 1
        if b"p=right" in said:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nwelcome")
        elif asked == 4:
            connection.sendall(b"HTTP/1.1 302 OK\r\nLocation: /change\r\n\r\n")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nno")

    with Device(serve) as device:
        login = HttpFormLogin(FormSuccess(text="welcome"), "/", "u", "p", port=device.port)
        done = tried(login, GUESSES, ("admin", "right"))
    assert [attempt.outcome for attempt in done.attempts] == ["refused", "not_understood", "refused"]
    assert not done.complete


@pytest.mark.parametrize("always", ["", "<script>var texts = ['Too many attempts']</script>"])
def test_a_lockout_that_a_page_says_with_status_200_is_one(always: str) -> None:
    """Though its page may always have such words in a script, and never the same token."""
    failed = 0

    def serve(connection: socket.socket) -> None:
        nonlocal failed
        right = b"p=right" in connection.recv(4096)
        failed += not right
        says = "welcome" if right and failed < 4 else "Too many attempts. Wait." if failed > 3 else "no"
        connection.sendall(f"HTTP/1.1 200 OK\r\n\r\n{always}<i>{secrets.token_hex(8)}</i>{says}".encode())

    with Device(serve) as device:
        login = HttpFormLogin(FormSuccess(text="welcome"), "/", "u", "p", port=device.port)
        done = tried(login, [*GUESSES, ("admin", "right")], ("admin", "right"), timeout_s=4)
    assert [attempt.outcome for attempt in done.attempts] == ["refused", "refused", "locked_out"]
    assert done.lockout is not None
    assert (done.lockout.sign, done.lockout.threshold, done.lockout.said) == ("said", 3, "200: Too many")
    assert not done.complete


HEAD = b"HTTP/1.1 200 OK\r\n"


def late(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n<html>")
    while connection.recv(4096):  # its end never comes, or too late
        pass


def resets(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n<html>")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stops(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 90\r\n\r\n<html>")


def stops_in_a_chunk(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n90\r\n<html>")


def long(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n" + b"<p>" * 30000 + b"welcome")


@pytest.mark.parametrize("ends", [late, resets, stops, stops_in_a_chunk, long])
@pytest.mark.parametrize("page", ["", "/login"])
def test_a_body_that_is_cut_has_not_refused(ends: Callable[[socket.socket], None], page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hilcop.credentials.http_client.BODY_WITHIN_S", 0.3)

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        ends(connection)

    with Device(serve) as device:
        by_text = HttpFormLogin(FormSuccess(text="welcome"), page=page, port=device.port)
        assert one(by_text, ("admin", "admin")).outcome == "not_understood"
        by_status = HttpFormLogin(FormSuccess(status=302), page=page, port=device.port)
        assert one(by_status, ("admin", "admin")).outcome == ("not_understood" if page else "refused")


@pytest.mark.parametrize("begin", [HEAD + b"Content-Length: 65536\r\n\r\n", HEAD + b"\r\n"])
def test_a_body_that_just_has_room_is_whole(begin: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(begin + b"x" * 65536)

    with Device(serve) as device:
        assert one(HttpFormLogin(FormSuccess(text="welcome"), port=device.port), ("admin", "admin")).outcome == "refused"


def test_a_page_that_is_not_there_and_a_success_of_nothing_are_told(camera: Camera) -> None:
    assert one(HttpFormLogin(FormSuccess(status=200), port=camera.port), None).outcome == "not_understood"
    with pytest.raises(ValueError, match="needs a status"):
        FormSuccess()


def test_cookies_that_are_removed_are_none() -> None:
    lines = ["a=1; Path=/", "b=; Path=/", "c=1; Max-Age=0", "d=1;max-age=05", "nothing", "=x"]
    reply = HttpReply(200, tuple(("Set-Cookie", line) for line in lines), b"")
    assert cookies_of(reply) == {"a": "1", "d": "1"}


def test_any_page_has_fields_or_is_none() -> None:
    chance = random.Random(6)
    parts = ["<", ">", "input", " type=hidden", " name=a", "'", '"', "<!", "[", "-->", "&#", "x41;", "<script>", "\0", "</", "<![CDATA["]
    for _ in range(5000):
        try:
            assert len(hidden_fields("".join(chance.choices(parts, k=chance.randrange(30))))) <= 1
        except Unintelligible:
            continue
    assert len(hidden_fields("".join(f"<input type=hidden name=a{number}>" for number in range(3000)))) == 256
