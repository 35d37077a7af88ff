# SPDX-License-Identifier: Apache-2.0
"""The cloud as a process of its own, and clients that nobody here wrote: curl, openssl, mosquitto_pub and mosquitto_sub.

A lab's authority for all tests of a process, and a cloud for each file.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(os.environ["HILCOP_SOURCE_DIR"]) / "boards" / "reference" / "cloud"
LISTENING = re.compile(r"cloud: listening https 127\.0\.0\.1:(\d+) mqtts 127\.0\.0\.1:(\d+)")
PATIENCE_S = 4


def until(condition: Callable[[], Any], limit_s: float = 30) -> Any:
    """The first true value, or the last one at the deadline."""
    end = time.monotonic() + limit_s
    while not (value := condition()) and time.monotonic() < end:
        select.select([], [], [], 0.02)
    return value


def done(*words: str | Path, limit_s: float = 60, check: bool = True) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=limit_s, check=False, stdin=subprocess.DEVNULL
    )
    assert not check or ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
    return ran


class Authority:
    """A lab's authority and devices that it, or somebody else, has certified with openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        done(PROGRAMS / "make-ca", folder)

    def device(self, serial: str) -> list[str]:
        """What curl needs to come as this device."""
        stem = self.folder / serial
        if not stem.with_suffix(".crt").exists():
            ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            done("openssl", "req", "-new", *ec, "-keyout", f"{stem}.key", "-subj", f"/CN={serial}", "-out", f"{stem}.csr")
            by = ["-CA", self.folder / "device-ca.crt", "-CAkey", self.folder / "device-ca.key"]
            done("openssl", "x509", "-req", "-in", f"{stem}.csr", *by, "-days", "30", "-out", f"{stem}.crt")
        return ["--cert", f"{stem}.crt", "--key", f"{stem}.key"]


class Cloud:
    def __init__(self, folder: Path, authority: Authority, *options: str | Path) -> None:
        self.folder = folder
        self.authority = authority
        self.errors = folder.with_suffix(".errors")
        words = [
            PROGRAMS / "run",
            folder,
            "--port",
            "0",
            "--mqtt-port",
            "0",
            "--lab-ca",
            authority.folder,
            "--patience",
            str(PATIENCE_S),
            *options,
        ]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [str(word) for word in words],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
            )
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], 60)[0], "the cloud says nothing"
        said = LISTENING.match(self.process.stdout.readline())
        assert said, self.errors.read_text()
        self.port, self.mqtt_port = int(said[1]), int(said[2])

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()

    def curl(self, url: str, *options: str, limit_s: float = 40) -> subprocess.CompletedProcess[str]:
        trust = ["--cacert", self.authority.folder / "ca.crt", "--connect-to", f"::127.0.0.1:{self.port}"]
        return done("curl", "-sS", "-m", str(limit_s), *trust, *options, url, limit_s=limit_s + 5, check=False)

    def ask(self, url: str, *options: str) -> tuple[int, str]:
        """Status and body."""
        ran = self.curl(url, "-w", "\n%{http_code}", *options)
        assert ran.returncode == 0, ran.stderr
        body, _, status = ran.stdout.rpartition("\n")
        return int(status), body

    def register(self, serial: str, *options: str, **changed: str) -> tuple[int, dict[str, Any]]:
        what = {"serial": serial, "model": "HT-1", "version": "1.1.0", **changed}
        certificate = options or self.authority.device(serial)
        status, body = self.ask("https://cloud.ht1.example/v1/register", *certificate, "-d", json.dumps(what))
        return status, json.loads(body)

    def token(self, serial: str) -> str:
        status, answer = self.register(serial)
        assert status == 200, answer
        return str(answer["token"])

    def received(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        lines = (self.folder / "received.jsonl").read_text().splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        return [line for line in whole if line["kind"] == kind and all(line.get(key) == value for key, value in wanted.items())]

    def mosquitto(self, program: str, serial: str, token: str, *words: str) -> list[str]:
        """The command line of a client of others; by the name that the certificate has, at the address of this test."""
        place = ["-h", "127.0.0.1", "-p", str(self.mqtt_port), "--cafile", str(self.authority.folder / "ca.crt"), "--insecure"]
        return [program, *place, "-u", serial, "-P", token, "-V", "5", *words]

    def publish(self, serial: str, token: str, topic: str, payload: str, *words: str) -> subprocess.CompletedProcess[str]:
        return done(*self.mosquitto("mosquitto_pub", serial, token, "-q", "1", "-t", topic, "-m", payload, *words), check=False)

    def broker_pid(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("lab") / "ca")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Cloud]:
    running = Cloud(tmp_path_factory.mktemp("cloud") / "dir", authority)
    yield running
    assert running.stop() == 0
    assert running.errors.read_text() == "", "it complains"
