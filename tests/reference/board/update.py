# SPDX-License-Identifier: Apache-2.0
"""Offering a unit an update, as its maker or as somebody between, and what it does with it."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

from machine import IMAGE, Machine
from network import Cloud

OLD, CURRENT, NEW = "1.0.0", "1.1.0", "1.2.0"
BUNDLES = IMAGE / "bundles"
CLOUD_METADATA = "HT-1.{}.json"


def bundle(scratch: Path, version: str, content: bytes) -> Path:
    """Signed by the maker, whatever is in it."""
    folder, made = scratch / f"content-{version}", scratch / f"{version}.raucb"
    folder.mkdir()
    (folder / "system.img").write_bytes(content)
    (folder / "manifest.raucm").write_text(f"[update]\ncompatible=HT-1\nversion={version}\n\n[image.system]\nfilename=system.img\n")
    keys = IMAGE / "keys"
    words = ["rauc", "bundle", f"--cert={keys / 'bundle.crt'}", f"--key={keys / 'bundle.key'}", f"--keyring={keys / 'bundle.crt'}"]
    subprocess.run([*words, folder, made], check=True, timeout=120, capture_output=True)
    return made


def forge(cloud: Cloud, file: Path, **changed: Any) -> None:
    """What the maker published last, changed by somebody who cannot sign; `file`: the bundle, of which also the CRC is named."""
    folder = cloud.folder / "updates"
    last = max(int(path.name.split(".")[1]) for path in folder.glob("HT-1.*.json"))
    text = json.loads(json.loads((folder / CLOUD_METADATA.format(last)).read_text())["signed"])
    text |= {"crc32": zlib.crc32(file.read_bytes()), **changed}
    envelope = {"signed": json.dumps(text), "signature": base64.b64encode(b"nobody's signature").decode()}
    (folder / CLOUD_METADATA.format(last + 1)).write_text(json.dumps(envelope))


def looks(machine: Machine, cloud: Cloud, token: str) -> dict[str, Any]:
    """Has the unit look for an update, and gives what it thinks of it then."""
    before = len(cloud.received("https", path="/v1/update/HT-1.json"))
    assert machine.ask("POST", "/api/update/check", token=token)[0] == 202
    end = time.monotonic() + 60
    while len(cloud.received("https", path="/v1/update/HT-1.json")) == before:
        assert time.monotonic() < end, f"it does not look; the console said\n{machine.console}"
        machine.listen(0.1)
    # What it thinks comes right after; a unit that thinks nothing of it is asked a while longer.
    for _ in range(30):
        status = machine.ask("GET", "/api/update", token=token)[1]
        if status["available"] or status["state"].startswith("failed"):
            break
        machine.listen(0.1)
    return status


def offered(machine: Machine, cloud: Cloud, token: str, version: str, file: Path, *words: str) -> dict[str, Any]:
    cloud.publish(version, file, *words)
    return looks(machine, cloud, token)


def installs(machine: Machine, token: str) -> None:
    assert machine.ask("POST", "/api/update/install", token=token)[0] == 202
