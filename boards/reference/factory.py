# SPDX-License-Identifier: Apache-2.0
"""How the factory keeps a unit's private keys: only the fuses of that unit open them."""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal_key(folder: Path, name: str, pem: bytes, fuse_key: bytes) -> None:
    """Writes FOLDER/sealed/NAME, as a record of the device's sealed store: nonce, AES-256-GCM with the name as associated data, tag."""
    salt = folder / "sealed/.salt"
    if not salt.exists():
        salt.parent.mkdir()
        salt.write_bytes(secrets.token_bytes(32))
    key = HKDF(hashes.SHA256(), 32, salt.read_bytes(), f"ht1 factory key {name}".encode()).derive(fuse_key)
    nonce = secrets.token_bytes(12)
    (folder / "sealed" / name).write_bytes(nonce + AESGCM(key).encrypt(nonce, pem, name.encode()))
