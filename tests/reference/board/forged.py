# SPDX-License-Identifier: Apache-2.0
"""Images that the maker did not make, of the one that it did."""

from __future__ import annotations

import subprocess
from pathlib import Path

from machine import IMAGE

CURRENT = IMAGE / "ht1-1.1.0.itb"


def unsigned(fit: Path, _scratch: Path) -> None:
    subprocess.run(["fdtput", "-r", fit, "/configurations/conf/signature"], check=True, timeout=60)


def wrongly_signed(fit: Path, scratch: Path) -> None:
    keys = scratch / "keys"
    keys.mkdir()
    words = ["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", keys / "boot.key", "-pkeyopt", "rsa_keygen_bits:2048"]
    subprocess.run(words, check=True, timeout=60)
    words = ["openssl", "req", "-batch", "-new", "-x509", "-key", keys / "boot.key", "-out", keys / "boot.crt", "-subj", "/CN=rogue"]
    subprocess.run(words, check=True, timeout=60)
    subprocess.run(["mkimage", "-F", "-k", keys, "-r", fit], check=True, timeout=120, stdout=subprocess.DEVNULL)
