# SPDX-License-Identifier: Apache-2.0
"""The lab's authorities: one for the cloud's servers, one for the devices, and the key that signs update metadata."""

from __future__ import annotations

import argparse
import datetime
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
# A device is made once and never gets another trust store: its authorities outlive it.
CA_DAYS = 30 * 365
SERVER_DAYS = 365


class CloudError(Exception):
    """Said to the operator on one line: what, on which object, why, what to do."""


def now() -> datetime.datetime:
    # cryptography of Debian 12 wants UTC without a zone.
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def write_new(path: Path, data: bytes, mode: int) -> None:
    """The whole file or none, synced: a key that is half there is worse than none."""
    part = path.with_name(path.name + ".new")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_new(path, pem, 0o600)
    return key


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise CloudError(f"key {path}: {error}: make the lab's authority again with make-ca, in an empty folder") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CloudError(f"key {path}: not an elliptic curve key: make the lab's authority again with make-ca, in an empty folder")
    return key


def load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CloudError(f"certificate {path}: {error}: make the lab's authority again with make-ca, in an empty folder") from error


def usage(sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    start = now() - DAY  # a bench whose clock is a little behind still accepts what was made just now
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + days * DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def new_authority(folder: Path, stem: str, name: str) -> None:
    key = new_key(folder / f"{stem}.key")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        builder(subject, subject, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_new(folder / f"{stem}.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def make_authorities(folder: Path) -> None:
    """What is whole stays: units that were made trust it."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, name in (("ca", "HT-1 lab cloud CA"), ("device-ca", "HT-1 lab device CA")):
        if not (folder / f"{stem}.crt").exists():
            new_authority(folder, stem, name)
    if not (folder / "update.pem").exists():
        public = new_key(folder / "update.key").public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        write_new(folder / "update.pem", pem, 0o644)


def still_good(path: Path, names: list[str], issuer: x509.Certificate) -> bool:
    if not path.exists() or not path.with_suffix(".key").exists():
        return False
    held = load_certificate(path)
    alternative = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    wanted = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    by = held.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return alternative.get_values_for_type(x509.DNSName) == names and by == wanted and held.not_valid_after > now() + 30 * DAY


def server_certificate(lab_ca: Path, folder: Path, stem: str, names: list[str]) -> tuple[Path, Path]:
    """Certificate and key of a server, made anew when they are not there, of another authority or near their end."""
    path = folder / f"{stem}.crt"
    issuer = load_certificate(lab_ca / "ca.crt")
    if not still_good(path, names, issuer):
        folder.mkdir(parents=True, exist_ok=True)
        key = new_key(folder / f"{stem}.key")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        issuer_key = load_key(lab_ca / "ca.key")
        certificate = (
            builder(subject, issuer.subject, key.public_key(), SERVER_DAYS)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        write_new(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return path, folder / f"{stem}.key"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make-ca", description="The lab's authorities, made in DIR if they are not there.")
    parser.add_argument("dir", type=Path, metavar="DIR")
    make_authorities(parser.parse_args().dir)
    return 0
