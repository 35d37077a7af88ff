# SPDX-License-Identifier: Apache-2.0
"""Who may register: the device that the certificate names, and nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Authority, Cloud, done

REGISTER = "https://cloud.ht1.example/v1/register"
BROKEN_OFF = (35, 52, 55, 56)  # curl: TLS connect, empty reply, send or receive error
ERASE = "https://cloud.ht1.example/v1/erase"


def test_a_device_gets_a_token_and_another_one_each_time(cloud: Cloud) -> None:
    status, first = cloud.register("HT1-000042")
    assert status == 200
    assert len(first["token"]) >= 43  # 256 bits
    assert cloud.token("HT1-000042") != first["token"]
    assert cloud.received("https", path="/v1/register", certificate="HT1-000042", method="POST")


def test_without_a_certificate_it_is_refused(cloud: Cloud) -> None:
    status, answer = cloud.register("HT1-000042", "--no-keepalive")
    assert (status, answer) == (403, {"error": "a device certificate is needed"})


def test_a_certificate_of_another_authority_ends_the_handshake(cloud: Cloud, tmp_path: Path) -> None:
    foreign = Authority(tmp_path / "foreign").device("HT1-000042")
    ran = cloud.curl(REGISTER, *foreign, "-d", json.dumps({"serial": "HT1-000042", "model": "HT-1", "version": "1.1.0"}))
    assert ran.returncode in BROKEN_OFF, ran.stderr
    assert ran.stdout == ""


def test_a_certificate_that_no_authority_signed_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    own = [tmp_path / "own.key", tmp_path / "own.crt"]
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    done("openssl", "req", "-x509", *ec, "-keyout", own[0], "-out", own[1], "-subj", "/CN=HT1-000042")
    ran = cloud.curl(REGISTER, "--cert", str(own[1]), "--key", str(own[0]), "-d", "{}")
    assert ran.returncode in BROKEN_OFF, ran.stderr
    assert ran.stdout == ""


def test_a_device_cannot_register_another_one(cloud: Cloud, authority: Authority) -> None:
    status, answer = cloud.register("HT1-000043", *authority.device("HT1-000042"))
    assert status == 403
    assert "token" not in answer


def test_the_server_is_who_it_says(cloud: Cloud, tmp_path: Path) -> None:
    """curl is satisfied by the lab's authority, and only by that; and not by another name."""
    assert cloud.ask("https://www.ht1.example/")[0] == 200
    other = Authority(tmp_path / "other")
    assert cloud.curl("https://www.ht1.example/", "--cacert", str(other.folder / "ca.crt")).returncode == 60
    assert cloud.curl("https://mqtt.ht1.example/").returncode == 60


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        "{}",
        '{"serial": 1, "model": "HT-1", "version": "1.1.0"}',
        '{"serial": ["HT1-000042"], "model": "HT-1", "version": "1.1.0"}',
        '{"serial": "HT1-000042", "model": "", "version": "1.1.0"}',
        '{"serial": "HT1-000042", "model": "HT-1", "version": "latest"}',
        '{"serial": "HT1-000042", "model": "HT-9", "version": "1.1.0"}',
        json.dumps({"serial": "HT1-000042", "model": "HT-1", "version": "1" * 65}),
        "[" * 60000,
    ],
    ids=lambda body: body[:40] or "nothing",
)
def test_what_is_no_registration_is_refused_and_recorded(cloud: Cloud, authority: Authority, body: str, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_text(body)
    status, answer = cloud.ask(REGISTER, *authority.device("HT1-000042"), "--data-binary", f"@{file}")
    assert status == 400
    assert json.loads(answer)["error"]
    assert cloud.received("https", path="/v1/register", body=body)


def test_bytes_that_are_no_text_are_refused_and_recorded(cloud: Cloud, authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"\xff\xfe\x00{")
    assert cloud.ask(REGISTER, *authority.device("HT1-000042"), "--data-binary", f"@{file}")[0] == 400
    assert cloud.received("https", path="/v1/register", body_hex="fffe007b")


def test_a_body_that_is_too_long_is_refused(cloud: Cloud, authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b" " * (70 << 10))
    assert cloud.ask(REGISTER, *authority.device("HT1-000042"), "--data-binary", f"@{file}")[0] == 413


def test_a_serial_number_is_no_path(cloud: Cloud, authority: Authority) -> None:
    # openssl takes '/' as the end of a name: the subject is written with '\'.
    name = "..\\/..\\/HT1-000042"
    stem = authority.folder / "path"
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    done("openssl", "req", "-new", *ec, "-keyout", f"{stem}.key", "-subj", f"/CN={name}", "-out", f"{stem}.csr")
    by = ["-CA", authority.folder / "device-ca.crt", "-CAkey", authority.folder / "device-ca.key"]
    done("openssl", "x509", "-req", "-in", f"{stem}.csr", *by, "-days", "30", "-out", f"{stem}.crt")
    status, _ = cloud.register("../../HT1-000042", "--cert", f"{stem}.crt", "--key", f"{stem}.key")
    assert status == 403
    assert cloud.received("https", certificate="../../HT1-000042"), "the certificate had another name"
    assert not list(cloud.folder.parent.rglob("HT1-000042/../../unit.json"))


def test_no_token_is_kept_in_clear(cloud: Cloud) -> None:
    token = cloud.token("HT1-000050")
    assert cloud.ask(ERASE, "-H", "Authorization: Bearer wrong", "-X", "POST")[0] == 401
    assert cloud.publish("HT1-000050", token, "ht1/HT1-000050/telemetry", '{"temperature": 20.5}').returncode == 0
    assert cloud.ask(ERASE, "-H", f"Authorization: Bearer {token}", "-X", "POST")[0] == 200
    held = [path for path in cloud.folder.rglob("*") if path.is_file()]
    assert len(held) > 3
    assert not [path for path in held if token.encode() in path.read_bytes()]


def test_only_the_named_units_may_register(authority: Authority, tmp_path: Path) -> None:
    unit = tmp_path / "unit"
    unit.mkdir()
    (unit / "record.json").write_text(json.dumps({"serial": "HT1-000001"}))
    cloud = Cloud(tmp_path / "dir", authority, "--units", unit)
    try:
        assert cloud.register("HT1-000001")[0] == 200
        assert cloud.register("HT1-000002")[0] == 403
    finally:
        assert cloud.stop() == 0
