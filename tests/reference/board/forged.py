# SPDX-License-Identifier: Apache-2.0
"""Images that the maker did not make, of the one that it did."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

from machine import IMAGE, SOURCE

CURRENT = IMAGE / "ht1-1.1.0.itb"


def unsigned(fit: Path, _scratch: Path) -> None:
    subprocess.run(["fdtput", "-r", fit, "/configurations/conf/signature"], check=True, timeout=60)


def with_files(fit: Path, scratch: Path, files: dict[str, str]) -> None:
    """Signed by the maker, with these programs in place of its own: what comes later in an initramfs wins."""
    for number, name in enumerate(("Image", "initramfs.gz", "board.dtb")):
        words = ["dumpimage", "-T", "flat_dt", "-p", str(number), "-o", scratch / name, fit]
        subprocess.run(words, check=True, timeout=120, stdout=subprocess.DEVNULL)
    for name, text in files.items():
        program = scratch / "over" / name
        program.parent.mkdir(parents=True)
        program.write_text(text)
        program.chmod(0o755)
    made = subprocess.run(
        ["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"],
        input="".join(f"{name}\n" for name in files).encode(),
        cwd=scratch / "over",
        capture_output=True,
        timeout=60,
        check=True,
    )
    with open(scratch / "initramfs.gz", "ab") as initramfs:
        initramfs.write(gzip.compress(made.stdout))
    source = (SOURCE / "boards/reference/image/fit.its").read_text()
    (scratch / "fit.its").write_text(source.replace("@version@", "1.1.0").replace("@variant@", "system"))
    words = ["mkimage", "-f", "fit.its", "-k", IMAGE / "keys", "-r", fit]
    subprocess.run(words, check=True, timeout=120, cwd=scratch, stdout=subprocess.DEVNULL)


def whose_daemon_ends(fit: Path, scratch: Path) -> None:
    with_files(fit, scratch, {"usr/bin/thermostatd": "#!/bin/sh\nexit 1\n"})


def whose_start_hangs(fit: Path, scratch: Path) -> None:
    """After what watches over a slot on trial was started, as at a disk that does not answer."""
    rc = (SOURCE / "boards/reference/image/rootfs/etc/rc").read_text()
    watched = "/etc/services/trial &\n"
    assert watched in rc
    with_files(fit, scratch, {"etc/rc": rc.replace(watched, watched + "while :; do sleep 3600; done\n")})


def whose_api_is_not_reached(fit: Path, scratch: Path) -> None:
    """The daemon is whole, and what it checks itself by is not."""
    name = "etc/services/thermostatd"
    service = (SOURCE / "boards/reference/image/rootfs" / name).read_text()
    with_files(fit, scratch, {name: service.replace("\nHOME=", "\nip link set lo down\nHOME=")})


def wrongly_signed(fit: Path, scratch: Path) -> None:
    keys = scratch / "keys"
    keys.mkdir()
    words = ["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", keys / "boot.key", "-pkeyopt", "rsa_keygen_bits:2048"]
    subprocess.run(words, check=True, timeout=60)
    words = ["openssl", "req", "-batch", "-new", "-x509", "-key", keys / "boot.key", "-out", keys / "boot.crt", "-subj", "/CN=rogue"]
    subprocess.run(words, check=True, timeout=60)
    subprocess.run(["mkimage", "-F", "-k", keys, "-r", fit], check=True, timeout=120, stdout=subprocess.DEVNULL)
