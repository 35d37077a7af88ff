# SPDX-License-Identifier: Apache-2.0
"""A unit as the factory makes it, in a folder, and its daemon as a process of this host."""

from __future__ import annotations

import datetime
import hashlib
import http.client
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

sys.path += [str(Path(__file__).resolve().parents[1] / "cloud"), str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "boards/reference")]
from factory import seal_key
from running import Authority, until

DAEMON = Path(os.environ["HILCOP_BUILD_DIR"]) / "boards/reference/thermostatd/thermostatd"
SETUP_SECRET, PASSWORD = "ABCDEFGHJKMN", "correct horse battery"
CLOUD, MQTT, UPDATES = "cloud.ht1.example", "mqtt.ht1.example", "updates.ht1.example"
NOBODY = 1  # a port where nothing listens
LIMIT_S = 100  # of a daemon, whatever becomes of its test
Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def certificate_pem(name: str, key: Key, by: tuple[x509.Certificate, Key] | None = None, days: int = 30) -> bytes:
    """Of `name`, by itself or by an authority; fewer than 0 days: it has expired."""
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signer = (by[0].subject, by[1]) if by else (subject, key)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def issuer_of(authority: Authority, stem: str) -> tuple[x509.Certificate, Key]:
    key = serialization.load_pem_private_key((authority.folder / f"{stem}.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate((authority.folder / f"{stem}.crt").read_bytes()), key


def hashed(secret: str) -> dict[str, Any]:
    """Cheap: how slow scrypt is, is not what is tested."""
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(secret.encode(), salt=salt, n=16, r=8, p=1, dklen=32)
    return {"scrypt": digest.hex(), "salt": salt.hex(), "n": 16, "r": 8, "p": 1}


class Unit:
    """Its factory folder, fuses and data folder; what is sealed there can be looked at, as the maker of the keys can."""

    def __init__(self, folder: Path, authority: Authority, serial: str, flaws: tuple[str, ...] = ()) -> None:
        self.folder, self.serial = folder, serial
        self.factory, self.data, self.fuses = folder / "factory", folder / "data", folder / "fuses"
        self.sealed = self.data / "sealed"
        self.factory.mkdir(parents=True)
        self.sealed.mkdir(parents=True)
        for name in ("ca.crt", "update.pem"):
            (self.factory / name).write_bytes((authority.folder / name).read_bytes())
        self.fuse_key = secrets.token_bytes(32)
        for stem, by in (("tls", None), ("device", issuer_of(authority, "device-ca"))):
            key = new_key()
            seal_key(self.factory, f"{stem}.key", key_pem(key), self.fuse_key)
            (self.factory / f"{stem}.crt").write_bytes(certificate_pem(serial, key, by))
        unit = {
            "model": "HT-1",
            "serial": serial,
            "mac": "52:54:00:00:00:2a",
            "hardware": "1",
            "setup_secret": hashed(SETUP_SECRET),
            "debug_unlock": hashed("debug-secret"),
            "trusted": {name: hashlib.sha256((self.factory / name).read_bytes()).hexdigest() for name in ("ca.crt", "update.pem")},
            "cloud": CLOUD,
            "mqtt": MQTT,
            "flaws": list(flaws),
        }
        text = json.dumps(unit).encode()
        (self.factory / "unit.json").write_bytes(text)
        self.fuses.write_bytes((self.fuse_key + hashlib.sha256(text).digest()).ljust(64 * 1024, b"\0"))

    def _cipher(self) -> AESGCM:
        salt = self.sealed / ".salt"
        if not salt.exists():
            salt.write_bytes(secrets.token_bytes(32))
        return AESGCM(HKDF(hashes.SHA256(), 32, salt.read_bytes(), b"ht1 sealed store 1").derive(self.fuse_key))

    def record(self, name: str) -> str:
        sealed = (self.sealed / name).read_bytes()
        return self._cipher().decrypt(sealed[:12], sealed[12:], name.encode()).decode()

    def keep(self, name: str, value: str) -> None:
        nonce = secrets.token_bytes(12)
        (self.sealed / name).write_bytes(nonce + self._cipher().encrypt(nonce, value.encode(), name.encode()))

    def owned(self, token: str = "", telemetry: bool = False) -> Unit:
        """Set up, and registered when there is a token, before the daemon first starts."""
        self.keep("password", json.dumps(hashed(PASSWORD)))
        self.keep("settings", json.dumps({"telemetry": telemetry, "auto_update": True, "ever_consented": telemetry}))
        if token:
            self.keep("token", token)
        return self


class Device:
    """The daemon of a unit; `cloud` and `mqtt` are the ports of this host where it finds these; updates come from `cloud` unless said."""

    def __init__(
        self, unit: Unit, *words: str | Path, cloud: int = NOBODY, mqtt: int = NOBODY, updates: int = 0, under: tuple[str, ...] = ()
    ) -> None:
        self.unit = unit
        self.console_file, self._ready, self._errors = unit.folder / "console", unit.folder / "ready", unit.folder / "errors"
        self._ready.unlink(missing_ok=True)
        options: list[str | Path] = ["--factory", unit.factory, "--data", unit.data, "--fuses", unit.fuses, "--ready", self._ready]
        options += ["--console", self.console_file, "--address", "127.0.0.1", "--port", "0", "--version", "1.1.0", "--telemetry-every", "1"]
        for name, port in ((CLOUD, cloud), (UPDATES, updates or cloud), (MQTT, mqtt)):
            options += ["--resolve", f"{name}=127.0.0.1:{port}"]
        command = ["timeout", "--foreground", "-s", "KILL", LIMIT_S, *under, DAEMON, *options, *words]
        with self._errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
            )
        self._port = 0

    @property
    def console(self) -> str:
        return self.console_file.read_text() if self.console_file.exists() else ""

    def port(self) -> int:
        def known() -> bool:
            return self.process.poll() is not None or (self._ready.exists() and self._ready.read_text().endswith("\n"))

        if not self._port:
            until(known)
            assert self.process.returncode is None, f"{self.process.returncode}: {self._errors.read_text()}"
            self._port = int(self._ready.read_text())
        return self._port

    def ask(self, method: str, path: str, body: Any = None, token: str = "", limit_s: float = 20) -> tuple[int, Any]:
        context = ssl.create_default_context(cafile=str(self.unit.factory / "tls.crt"))
        context.check_hostname = False  # the name in it is the serial number
        line = http.client.HTTPSConnection("127.0.0.1", self.port(), timeout=limit_s, context=context)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            line.request(method, path, None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            line.close()

    def login(self) -> str:
        status, answer = self.ask("POST", "/api/login", {"password": PASSWORD})
        assert status == 200, answer
        return str(answer["token"])

    def set_up(self) -> str:
        """By its owner, who logs in then. Nothing is said of telemetry."""
        status, answer = self.ask("POST", "/api/setup", {"secret": SETUP_SECRET, "password": PASSWORD})
        assert status == 201, answer
        return self.login()

    def stop(self, limit_s: float = 30) -> int:
        self.process.terminate()
        return self.process.wait(limit_s)

    def kill(self) -> None:
        """As a power cut does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
