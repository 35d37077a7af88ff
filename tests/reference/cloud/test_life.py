# SPDX-License-Identifier: Apache-2.0
"""How it starts, what it says when it cannot, and that it leaves nothing running however it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROGRAMS, Authority, Cloud, done, until


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def heard(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_its_broker(authority: Authority, tmp_path: Path, number: signal.Signals) -> None:
    cloud = Cloud(tmp_path / "dir", authority)
    broker = cloud.broker_pid()
    assert heard(cloud.port)
    assert heard(cloud.mqtt_port)
    cloud.process.send_signal(number)
    assert cloud.stop() == 0
    assert not alive(broker)
    assert not heard(cloud.port)
    assert not heard(cloud.mqtt_port)
    assert cloud.errors.read_text() == ""


def test_it_ends_while_clients_are_there(authority: Authority, tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "dir", authority, "--fault", "pages=hang")
    words = ["curl", "-s", "-m", "60", "--cacert", authority.folder / "ca.crt", "--connect-to", f"::127.0.0.1:{cloud.port}"]
    with subprocess.Popen([str(word) for word in words] + ["https://www.ht1.example/"], start_new_session=True) as client:
        assert until(lambda: cloud.received("https", fault="hang"))
        assert cloud.stop() == 0
        client.wait(30)


def test_killed_it_takes_its_broker_along(authority: Authority, tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "dir", authority)
    broker = cloud.broker_pid()
    cloud.process.kill()
    cloud.stop()
    assert until(lambda: not alive(broker))
    assert not heard(cloud.mqtt_port)


def test_it_ends_with_its_parent(authority: Authority, tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys\n"
        "cloud = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True, start_new_session=True)\n"
        "print(cloud.pid, cloud.stdout.readline(), end='', flush=True)\n"
        "sys.stdin.read()\n"
    )
    run = [str(PROGRAMS / "run"), str(tmp_path / "dir"), "--port", "0", "--mqtt-port", "0", "--lab-ca", str(authority.folder)]
    with subprocess.Popen([sys.executable, "-c", parent, *run], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mother:
        assert mother.stdout is not None
        said = re.match(r"(\d+) cloud: listening https \S+:(\d+) mqtts \S+:(\d+)", mother.stdout.readline())
        assert said
        pid, port, mqtt_port = map(int, said.groups())
        assert heard(port)
        mother.kill()
        assert until(lambda: not alive(pid))
        assert not heard(port)
        assert not heard(mqtt_port)


def test_without_its_broker_it_is_no_cloud(authority: Authority, tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "dir", authority)
    os.kill(cloud.broker_pid(), signal.SIGKILL)
    assert cloud.process.wait(30) == 2
    cloud.stop()
    assert "mosquitto ended by itself" in cloud.errors.read_text()


def test_units_and_certificates_outlive_it(authority: Authority, tmp_path: Path) -> None:
    first = Cloud(tmp_path / "dir", authority)
    token = first.token("HT1-000042")
    certificate = (first.folder / "tls" / "web.crt").read_bytes()
    assert first.stop() == 0
    second = Cloud(tmp_path / "dir", authority)
    try:
        assert (second.folder / "tls" / "web.crt").read_bytes() == certificate
        assert second.publish("HT1-000042", token, "ht1/HT1-000042/telemetry", "again").returncode == 0
        assert second.received("https", path="/v1/register"), "what was received before is still there"
        erase = ["https://cloud.ht1.example/v1/erase", "-H", f"Authorization: Bearer {token}", "-X", "POST"]
        assert second.ask(*erase)[0] == 200
    finally:
        assert second.stop() == 0


def test_another_authority_gets_it_another_certificate(authority: Authority, tmp_path: Path) -> None:
    assert Cloud(tmp_path / "dir", authority).stop() == 0
    other = Cloud(tmp_path / "dir", Authority(tmp_path / "other"))
    try:
        assert other.ask("https://www.ht1.example/")[0] == 200
    finally:
        assert other.stop() == 0


def test_make_ca_keeps_what_is_there(tmp_path: Path) -> None:
    folder = Authority(tmp_path / "ca").folder
    held = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(held) == {"ca.key", "ca.crt", "device-ca.key", "device-ca.crt", "update.key", "update.pem"}
    assert [name for name in held if name.endswith(".key") and (folder / name).stat().st_mode & 0o077] == []
    done(PROGRAMS / "make-ca", folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == held


def refused(*words: str | Path) -> str:
    ran = done(PROGRAMS / "run", *words, check=False)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    return ran.stderr


def test_it_says_why_it_cannot_start(authority: Authority, tmp_path: Path) -> None:
    free = ["--mqtt-port", "0", "--lab-ca", authority.folder]
    assert "no ca.key there: build the board" in refused(tmp_path / "a", "--lab-ca", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}: Address already in use" in refused(tmp_path / "b", "--port", port, *free)
        assert f"broker on 127.0.0.1 port {port}: Address already in use" in refused(
            tmp_path / "c", "--port", "0", "--mqtt-port", port, "--lab-ca", authority.folder
        )
    assert "not known" in refused(tmp_path / "d", *free, "--fault", "pages=teapot")
    assert "no such file" in refused(tmp_path / "e", *free, "--publish", "1.2.0=nothing")
    assert "name a folder that make-unit wrote" in refused(tmp_path / "f", *free, "--units", tmp_path)
