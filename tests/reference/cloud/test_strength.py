# SPDX-License-Identifier: Apache-2.0
"""Old TLS, plain text, garbage, slow and many clients: refused, bounded, and the next honest client is served."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from running import PATIENCE_S, Authority, Cloud, done, until


@pytest.fixture(autouse=True)
def serves_afterwards(cloud: Cloud) -> Iterator[None]:
    yield
    assert cloud.ask("https://www.ht1.example/")[0] == 200
    token = cloud.token("HT1-000060")
    assert cloud.publish("HT1-000060", token, "ht1/HT1-000060/state", "{}").returncode == 0


def handshake(port: int, *words: str) -> str:
    ran = done("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "cloud.ht1.example", *words, check=False)
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("which", ["port", "mqtt_port"])
def test_only_tls_1_2_and_1_3(cloud: Cloud, which: str) -> None:
    port = getattr(cloud, which)
    # Level 0: else this openssl would not even offer the old ones, and nothing would be shown.
    old = ["-cipher", "ALL@SECLEVEL=0"]
    for version in ("-tls1", "-tls1_1"):
        said = handshake(port, version, *old)
        assert re.search(r"handshake has read \d bytes and written \d{3} bytes", said), f"nothing was offered, or answered: {said}"
        assert "Cipher is (NONE)" in said
    for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        said = handshake(port, version, *old)
        assert f"New, {name}, Cipher is " in said
        assert "Cipher is (NONE)" not in said


@pytest.mark.parametrize("cipher", ["NULL", "AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA"])
def test_no_weak_cipher_and_none_without_forward_secrecy(cloud: Cloud, cipher: str) -> None:
    assert "Cipher is (NONE)" in handshake(cloud.port, "-tls1_2", "-cipher", f"{cipher}@SECLEVEL=0")


def tls_client(cloud: Cloud) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(cloud.authority.folder / "ca.crt"))
    raw = socket.create_connection(("127.0.0.1", cloud.port), 30)
    return context.wrap_socket(raw, server_hostname="cloud.ht1.example")


def rest(client: socket.socket) -> bytes:
    """All until the other side ends; a reset is an end too."""
    client.settimeout(60)
    said = b""
    try:
        while part := client.recv(65536):
            said += part
    except (ConnectionError, ssl.SSLError):
        pass
    return said


ERASE = b"POST /v1/erase HTTP/1.1\r\nHost: cloud.ht1.example\r\n"
GARBAGE = {
    "noise": os.urandom(4096),
    "plain http": b"GET / HTTP/1.1\r\nHost: www.ht1.example\r\n\r\n",
    "a record too long": b"\x16\x03\x01\xff\xff" + b"A" * 70000,
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "nothing": b"",
}


@pytest.mark.parametrize("what", GARBAGE)
@pytest.mark.parametrize("which", ["port", "mqtt_port"])
def test_garbage_before_tls(cloud: Cloud, which: str, what: str) -> None:
    with socket.create_connection(("127.0.0.1", getattr(cloud, which)), 30) as client:
        try:
            client.sendall(GARBAGE[what])
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has had enough already
        assert b"200" not in rest(client)


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n",
        b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: www.ht1.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: www.ht1.example\r\n" + b"X: " + b"a" * 20000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: www.ht1.example\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: www.ht1.example\r\nConnection: close\r\n\r\n",
        ERASE + b"Authorization: Bearer \xff\xfe\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        ERASE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        ERASE + b"Content-Encoding: gzip\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        b"DELETE /v1/register HTTP/1.1\r\nHost: cloud.ht1.example\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    ],
    ids=lambda head: ascii(head[:50]),
)
def test_garbage_in_tls_is_answered_with_a_refusal(cloud: Cloud, head: bytes) -> None:
    with closing(tls_client(cloud)) as client:
        client.sendall(head)
        said = rest(client)
    assert not said or said.split(b" ")[1][:1] == b"4", said


def test_slow_clients_are_dropped_and_hold_nobody_up(cloud: Cloud) -> None:
    """Fifty that say nothing before TLS, in the head, and in the body; meanwhile others are served."""
    before = len(cloud.received("dropped"))
    with ExitStack() as stack:
        raw = [stack.enter_context(socket.create_connection(("127.0.0.1", cloud.port), 30)) for _ in range(10)]
        head = [stack.enter_context(closing(tls_client(cloud))) for _ in range(20)]
        body = [stack.enter_context(closing(tls_client(cloud))) for _ in range(20)]
        for client in head:
            client.sendall(b"GET / HTTP/1.1\r\nHost: www.")
        for client in body:
            client.sendall(b"POST /v1/register HTTP/1.1\r\nHost: cloud.ht1.example\r\nContent-Length: 100\r\n\r\n{")
        assert cloud.ask("https://www.ht1.example/")[0] == 200
        assert not rest(raw[0])
        assert not rest(head[0])
        assert b" 408 " in rest(body[0])
        for client in [*raw, *head, *body]:
            rest(client)  # every one of them is ended from the other side
    assert until(lambda: len(cloud.received("dropped")) >= before + 20)


def test_a_client_that_takes_nothing_is_dropped(authority: Authority, tmp_path: Path) -> None:
    """A bundle larger than all buffers, of which nothing is read for thrice the server's patience."""
    bundle = tmp_path / "large"
    with bundle.open("wb") as file:
        file.truncate(64 << 20)
    cloud = Cloud(tmp_path / "dir", authority, "--publish", f"1.2.0={bundle}")
    try:
        name = next((cloud.folder / "updates" / "bundles").iterdir()).name
        with closing(tls_client(cloud)) as client:
            client.sendall(f"GET /bundles/{name} HTTP/1.1\r\nHost: updates.ht1.example\r\n\r\n".encode())
            dropped = until(lambda: cloud.received("dropped", why="the client takes nothing"), 3 * PATIENCE_S + 60)
            assert dropped
    finally:
        assert cloud.stop() == 0


def test_more_connections_than_it_bears(cloud: Cloud) -> None:
    with ExitStack() as stack:
        refused = 0
        for _ in range(140):
            try:
                stack.enter_context(closing(tls_client(cloud)))
            except OSError:
                refused += 1
        assert refused or until(lambda: cloud.received("dropped", why="too many connections"))
    # They have gone: who comes next is served, as the fixture sees.
