# SPDX-License-Identifier: Apache-2.0
"""HTTP's Basic and Digest log-ins against lighttpd; Digest also against what RFC 7616 computes."""

from __future__ import annotations

import hashlib
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hilcop.credentials import HttpBasicLogin, HttpDigestLogin
from hilcop.credentials.answers import Dial, Unintelligible
from hilcop.credentials.http_challenge import challenges
from hilcop.credentials.http_digest import authorization
from hilcop.credentials.pairs import Pair
from rig import HOME, Device, Loopback, free_port, one, running, tried

RIGHT = ("admin", "Lab-77 \xe9:x")
CONFIGURATION = """
server.document-root = "{folder}/www"
server.port = {port}
server.bind = "127.0.0.1"
server.modules = ( "mod_auth", "mod_authn_file", "mod_openssl", "mod_redirect" )
index-file.names = ( "index.html" )
auth.backend = "plain"
auth.backend.plain.userfile = "{folder}/users"
auth.require = (
  "/basic" => ( "method" => "basic", "realm" => "camera", "require" => "valid-user" ),
  "/digest" => ( "method" => "digest", "realm" => "camera", "require" => "valid-user", "algorithm" => "MD5|SHA-256" ),
  "/md5" => ( "method" => "digest", "realm" => "camera", "require" => "valid-user", "algorithm" => "MD5" ) )
url.redirect = ( "^/moved" => "/basic" )
$SERVER["socket"] == "127.0.0.1:{secure}" {{ ssl.engine = "enable" ssl.pemfile = "{folder}/pem" }}
"""


@dataclass
class Web:
    port: int
    secure: int
    log: Path


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    made = Web(free_port(), free_port(), folder / "log")
    for name in ("basic", "digest", "md5", "open"):
        (folder / "www" / name).mkdir(parents=True)
        (folder / "www" / name / "index.html").write_text("inside")
    (folder / "users").write_text(f"{RIGHT[0]}:{RIGHT[1]}\nroot:vizxv\n")
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=camera", "-days", "1"]
    subprocess.run([*certificate, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True, timeout=30)
    (folder / "pem").write_text((folder / "key").read_text() + (folder / "cert").read_text())
    (folder / "conf").write_text(CONFIGURATION.format(folder=folder, port=made.port, secure=made.secure))
    with running(["lighttpd", "-D", "-f", folder / "conf"], made.port, made.log):
        yield made


@pytest.mark.parametrize(("scheme", "secure"), [("basic", False), ("md5", False), ("digest", True)])
def test_a_camera_with_one_of_mirais_passwords_is_found(web: Web, scheme: str, secure: bool) -> None:
    """lighttpd takes a second for each refusal, so that the list is a short one."""
    pairs = [("root", "xc3511"), ("root", "vizxv")][scheme != "basic" :]
    port = web.secure if secure else web.port
    kind = HttpBasicLogin if scheme == "basic" else HttpDigestLogin
    network = Loopback()
    done = tried(kind(port=port, path=f"/{scheme}/", tls=secure), pairs, RIGHT, network=network)
    assert done.complete, done.incomplete
    assert [(attempt.index, attempt.user) for attempt in done.accepted] == [(len(pairs) - 1, "root")]
    assert not done.open_to_all
    assert len(done.attempts) == len(pairs)
    (_, begins), (text, ends) = network.told
    assert begins["list_sha256"] == ends["list_sha256"] == done.list_sha256
    assert text.endswith(f"end: 1 of {len(pairs)} accepted")
    assert ends["accepted_indices"] == [len(pairs) - 1]
    assert "vizxv" not in str(network.told), "no password is told"
    assert RIGHT[1] not in str(network.told)


def test_a_path_that_everybody_gets_and_one_that_moves_judge_nothing(web: Web) -> None:
    done = tried(HttpBasicLogin(port=web.port, path="/open/"), "mirai", RIGHT)
    assert done.open_to_all
    assert done.accepts_anything
    assert not done.complete
    assert done.attempts == ()
    assert one(HttpBasicLogin(port=web.port, path="/moved"), RIGHT).outcome == "not_understood"
    assert one(HttpBasicLogin(port=web.port, path="/none/"), RIGHT).said.startswith("404")


def test_a_scheme_that_it_does_not_take_is_not_refused_by_it(web: Web) -> None:
    assert one(HttpBasicLogin(port=web.port, path="/digest/"), RIGHT).said == "401 that offers digest, digest and not basic"
    assert one(HttpDigestLogin(port=web.port, path="/basic/"), RIGHT).said == "401 that offers basic and not digest"


# RFC 7616 3.9.1: the same for both algorithms.
EXAMPLE = {
    "realm": "http-auth@example.org",
    "qop": "auth, auth-int",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
}
MUFASA, CNONCE = Pair("Mufasa", "Circle of Life"), "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_comes_out(algorithm: str, response: str) -> None:
    header = authorization({**EXAMPLE, "algorithm": algorithm}, MUFASA, "GET", "/dir/index.html", CNONCE)
    assert f'response="{response}"' in header
    assert f"algorithm={algorithm}" in header
    assert "qop=auth, nc=00000001" in header


def test_a_hashed_user_a_session_and_the_oldest_form_are_as_they_are_written_down() -> None:
    # RFC 7616 3.4.4, 3.4.2; RFC 2069 2.1.2 as RFC 7616 3.4.1 has it without qop.
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    hashed = authorization({**EXAMPLE, "userhash": "true"}, MUFASA, "GET", "/", "c")
    assert f'username="{md5("Mufasa:http-auth@example.org")}"' in hashed
    assert "userhash=true" in hashed
    old = authorization({"realm": "r", "nonce": "n"}, Pair("u", "p"), "GET", "/", "c")
    assert f'response="{md5(md5("u:r:p") + ":n:" + md5("GET:/"))}"' in old
    assert "cnonce" not in old
    session = authorization({"realm": "r", "nonce": "n", "qop": "auth", "algorithm": "MD5-sess"}, Pair("u", "p"), "GET", "/", "c")
    assert f'response="{md5(md5(md5("u:r:p") + ":n:c") + ":n:00000001:c:auth:" + md5("GET:/"))}"' in session
    for wrong in ({"algorithm": "MD4"}, {"qop": "auth-int"}, {"nonce": "a\r\nX: y"}):
        with pytest.raises(Unintelligible):
            authorization({"realm": "r", **wrong}, Pair("u", "p"), "GET", "/", "c")


def test_a_nonce_that_is_stale_is_no_refusal() -> None:
    """RFC 7616 3.3; and a device that says so for ever has not answered."""

    def device(forever: bool) -> Device:
        asked = 0

        def serve(connection: socket.socket) -> None:
            nonlocal asked
            said = connection.recv(4096)
            asked += 1
            stale = "true" if b"Authorization" in said and (forever or b'nonce="n1"' in said) else "false"
            if b'nonce="n1"' not in said and b"Authorization" in said and not forever:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                return
            head = f'WWW-Authenticate: Digest realm="r", nonce="n{asked}", qop="auth", stale={stale}\r\nContent-Length: 0'
            connection.sendall(f"HTTP/1.1 401 No\r\n{head}\r\n\r\n".encode())

        return Device(serve)

    with device(False) as once:
        assert one(HttpDigestLogin(port=once.port), RIGHT).outcome == "accepted"
    with device(True) as forever:
        assert one(HttpDigestLogin(port=forever.port), RIGHT).outcome == "not_understood"
        assert forever.connections == 4


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n", "locked_out"),
        (b"HTTP/1.1 423 Locked\r\n\r\n", "locked_out"),
        (b"HTTP/1.1 503 No\r\nRetry-After: 3\r\n\r\n", "locked_out"),
        (b"HTTP/1.1 503 No\r\n\r\n", "not_understood"),
        (b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\n\r\nAccount locked, try again in 5 minutes', "locked_out"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nblocked", "not_understood"),
        (b"HTTP/1.1 401 No\r\n\r\n", "not_understood"),
        (b'HTTP/1.0 401 No\r\nwww-authenticate: Digest a="b", basic\r\n\r\n', "refused"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "accepted"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", "accepted"),
    ],
)
def test_what_an_answer_means(answer: bytes, outcome: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with Device(serve) as device:
        assert one(HttpBasicLogin(port=device.port), RIGHT).outcome == outcome


def test_a_device_that_locks_after_three_is_told_with_its_threshold() -> None:
    failed = 0

    def serve(connection: socket.socket) -> None:
        nonlocal failed
        said = connection.recv(4096)
        if failed >= 3:
            connection.sendall(b"HTTP/1.1 429 No\r\nRetry-After: 300\r\n\r\n")
        elif b"Authorization: Basic YWRtaW46cmlnaHQ=\r\n" in said:
            failed = 0
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            failed += b"Authorization" in said
            connection.sendall(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n")

    with Device(serve) as device:
        done = tried(HttpBasicLogin(port=device.port), "mirai", ("admin", "right"), timeout_s=2)
    assert done.lockout is not None
    assert (done.lockout.sign, done.lockout.threshold, done.lockout.said) == ("said", 3, "429, Retry-After: 300")
    assert len(done.attempts) == 3
    assert not done.complete


def test_challenges_are_read_as_they_come() -> None:
    found = challenges(['Basic realm="a, b=\\"c\\"", charset="UTF-8", Digest realm=x , nonce="1==",qop="auth"', "Negotiate"])
    assert [challenge.scheme for challenge in found] == ["basic", "digest", "negotiate"]
    assert found[0].parameters == {"realm": 'a, b="c"', "charset": "UTF-8"}
    assert found[1].parameters == {"realm": "x", "nonce": "1==", "qop": "auth"}
    assert challenges(['="x', "", 'realm="x"']) == []
    assert len(challenges(["a " * 40000])) == 32


def test_any_challenge_is_read_or_not() -> None:
    chance = random.Random(6)
    parts = ["Digest", " ", ",", '"', "=", "realm", "\\", "nonce=1", 'qop="auth"', "\x80", "\t", "algorithm=MD5", "stale=true"]
    for _ in range(20000):
        for challenge in challenges(["".join(chance.choices(parts, k=chance.randrange(20)))]):
            try:
                assert authorization(challenge.parameters, Pair("u", "p"), "GET", "/", "c").startswith("Digest ")
            except Unintelligible:
                continue


def test_an_address_of_ipv6_is_in_brackets() -> None:
    asked = b""

    def serve(connection: socket.socket) -> None:
        nonlocal asked
        asked = connection.recv(4096)

    with Device(serve) as device:
        dial = Dial("fe80::1", device.port, lambda seconds: socket.create_connection((HOME, device.port), seconds))
        with pytest.raises(ConnectionError):
            HttpBasicLogin(port=device.port).attempt(dial, None, time.monotonic() + 5)
    assert f"Host: [fe80::1]:{device.port}\r\n".encode() in asked
