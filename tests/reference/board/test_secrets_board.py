# SPDX-License-Identifier: Apache-2.0
"""Private keys: not in a raw dump of a unit, and not in the image that all of them have."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import subprocess
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from machine import IMAGE, Machine

NewMachine = Callable[..., Machine]
LIBRARIES = IMAGE / "apt/root/usr/lib/aarch64-linux-gnu"
BLOCK = re.compile(rb"-----BEGIN (?:EC )?PRIVATE KEY-----[A-Za-z0-9+/=\r\n]{64,400}-----END (?:EC )?PRIVATE KEY-----")


def of_factory(machine: Machine, name: str) -> bytes:
    image, file = machine.unit / "factory.ext4", machine.unit / "dumped"
    image.write_bytes(machine.bytes_of("factory"))
    file.unlink(missing_ok=True)
    subprocess.run(["debugfs", "-R", f"dump {name} {file}", image], check=True, timeout=60, capture_output=True)
    return file.read_bytes()


def loaded(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def unsealed(machine: Machine, name: str) -> bytes:
    """By the fuses and the design's own words, without the device's code."""
    fuse_key = (machine.unit / "fuses.raw").read_bytes()[:32]
    key = HKDF(hashes.SHA256(), 32, of_factory(machine, "sealed/.salt"), f"ht1 factory key {name}".encode()).derive(fuse_key)
    record = of_factory(machine, f"sealed/{name}")
    return AESGCM(key).decrypt(record[:12], record[12:], name.encode())


def spki(key: ec.EllipticCurvePrivateKey, how: serialization.Encoding = serialization.Encoding.DER) -> bytes:
    return key.public_key().public_bytes(how, serialization.PublicFormat.SubjectPublicKeyInfo)


def shown_in(disk: bytes, pem: bytes) -> list[str]:
    """In which ways this key stands in a dump."""
    scalar = loaded(pem).private_numbers().private_value.to_bytes(32, "big")
    body = b"".join(pem.splitlines()[1:-1])
    ways = {"PEM": pem, "a line of its PEM": pem.splitlines()[1], "DER": base64.b64decode(body), "the number": scalar}
    return [name for name, form in ways.items() if form in disk]


def test_a_raw_dump_has_the_private_keys_only_with_the_flaw(new_machine: NewMachine) -> None:
    sound, flawed = new_machine(), new_machine("--flaws", "keys-in-clear")
    for machine in (sound, flawed):  # both used: what a daemon writes of a key would be found too
        machine.on()
    for machine in (sound, flawed):
        machine.expect("^HT-1: READY version")
        assert machine.ask("GET", "/api/info")[0] == 200
        machine.type(f"unlock {machine.record['debug_unlock']}\r")
        machine.expect("^ht1# ")
        machine.type("sync; echo synced-$((6*7))\r")
        machine.expect("^synced-42$")
        machine.off()
    keys = {
        sound: [unsealed(sound, name) for name in ("tls.key", "device.key")],
        flawed: [of_factory(flawed, name) for name in ("tls.key", "device.key")],
    }
    for machine, (tls, device) in keys.items():
        assert hashlib.sha256(spki(loaded(tls))).hexdigest() == machine.record["tls_key_sha256"], "the control: this is what is looked for"
        assert spki(loaded(device), serialization.Encoding.PEM).decode() == machine.record["device_public_key"]
        disk = (machine.unit / "main.raw").read_bytes()
        found = [shown_in(disk, pem) for pem in (tls, device)]
        assert found == ([["PEM", "a line of its PEM"]] * 2 if machine is flawed else [[], []])
        assert bool(BLOCK.findall(disk)) == (machine is flawed)


def userland_of(machine: Machine) -> bytes:
    """The root file system of slot A, as whoever has the update or the flash sees it."""
    fit = machine.unit / "slot.itb"
    fit.write_bytes(machine.bytes_of("slot-a"))
    packed = machine.unit / "initramfs.gz"
    words = ["dumpimage", "-T", "flat_dt", "-p", "1", "-o", packed, fit]
    subprocess.run(words, check=True, timeout=120, stdout=subprocess.DEVNULL)
    return gzip.decompress(packed.read_bytes())


@pytest.mark.full
def test_the_image_has_the_tls_key_of_every_unit_only_with_the_flaw(new_machine: NewMachine) -> None:
    sound, flawed, another = new_machine(), new_machine("--flaws", "key-in-image"), new_machine("--flaws", "key-in-image")
    userland = userland_of(sound)
    assert b"/usr/bin/thermostatd" in userland, "the control: it is unpacked"
    usual = set(BLOCK.findall(userland))
    # The keys that GnuTLS tests itself by, which everybody has and nobody uses; no other.
    assert usual == set(BLOCK.findall(next(LIBRARIES.glob("libgnutls.so.*")).read_bytes()))
    (pem,) = set(BLOCK.findall(userland_of(flawed))) - usual
    shared = hashlib.sha256(spki(loaded(pem))).hexdigest()
    assert [machine.record["tls_key_sha256"] == shared for machine in (sound, flawed, another)] == [False, True, True]
    # It is the key that serves: ask() holds the certificate shown against the factory's record.
    flawed.on()
    flawed.expect("^HT-1: READY version")
    assert flawed.ask("GET", "/api/info")[0] == 200
