# SPDX-License-Identifier: Apache-2.0
"""What the maker publishes: signed metadata and the bundles that it names. All metadata stays, as an attacker would keep it."""

from __future__ import annotations

import argparse
import base64
import datetime
import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

from authority import CloudError, load_key, write_new
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

MODEL = "HT-1"
VERSION = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}")
DEFAULT_LIFE_S = 14 * 86400
REPOSITORY = Path(__file__).resolve().parents[3]
LAB_CA = REPOSITORY / "build" / "boards" / "reference" / "lab-ca"


def published(folder: Path, stale: bool = False) -> Path | None:
    """The newest metadata, or the oldest."""
    held = sorted((folder / "updates").glob(f"{MODEL}.*.json"), key=lambda path: int(path.name.split(".")[1]))
    return None if not held else held[0 if stale else -1]


def bundle(folder: Path, name: str) -> Path | None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}", name):
        return None
    path = folder / "updates" / "bundles" / name
    return path if path.is_file() else None


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expiry(in_s: int) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=in_s)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def publish(
    folder: Path,
    lab_ca: Path,
    version: str,
    file: Path,
    min_version: str = "0.0.0",
    security: bool = False,
    notes: str = "",
    expires_in_s: int = DEFAULT_LIFE_S,
) -> Path:
    for what in (version, min_version):
        if not VERSION.fullmatch(what):
            raise CloudError(f"version '{what}': not three numbers with dots between: say it as 1.2.0")
    if not file.is_file():
        raise CloudError(f"bundle {file}: no such file: build the board's images first, or name another")
    bundles = folder / "updates" / "bundles"
    bundles.mkdir(parents=True, exist_ok=True)
    digest = sha256_of(file)
    # The name follows the content: who has begun to load one bundle never goes on with another.
    name = f"{MODEL.lower()}-{version}-{digest[:12]}.raucb"
    if not (bundles / name).exists():
        part = bundles / (name + ".new")
        shutil.copyfile(file, part)
        os.rename(part, bundles / name)
    text = json.dumps(
        {
            "model": MODEL,
            "version": version,
            "min_version": min_version,
            "size": file.stat().st_size,
            "sha256": digest,
            "url": f"https://updates.ht1.example/bundles/{name}",
            "security": security,
            "notes": notes,
            "expires": expiry(expires_in_s),
        },
        sort_keys=True,
    )
    signature = load_key(lab_ca / "update.key").sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    last = published(folder)
    number = 1 if last is None else int(last.name.split(".")[1]) + 1
    path = folder / "updates" / f"{MODEL}.{number}.json"
    write_new(path, json.dumps({"signed": text, "signature": base64.b64encode(signature).decode()}).encode(), 0o644)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="publish", description="What a cloud in DIR offers as update from now on; it need not run.")
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument("--version", required=True)
    parser.add_argument("--bundle", required=True, type=Path, metavar="FILE")
    parser.add_argument("--min-version", default="0.0.0", help="devices that run an older one may not go back below this one")
    parser.add_argument("--security", action="store_true", help="it mends a vulnerability")
    parser.add_argument("--notes", default="", help="what the owner is told: the risk that it ends, what is disturbed")
    parser.add_argument("--expires-in", type=int, default=DEFAULT_LIFE_S, metavar="SECONDS", help="may be negative: already expired")
    parser.add_argument("--lab-ca", type=Path, default=LAB_CA, metavar="DIR")
    a = parser.parse_args()
    try:
        print(publish(a.dir, a.lab_ca, a.version, a.bundle, a.min_version, a.security, a.notes, a.expires_in))
    except (CloudError, OSError) as error:
        print(f"publish: {error}", file=sys.stderr)
        return 2
    return 0
