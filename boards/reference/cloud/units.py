# SPDX-License-Identifier: Apache-2.0
"""What the cloud keeps of a unit, in a folder of its own: erasing the unit is removing the folder."""

from __future__ import annotations

import collections
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import threading
from pathlib import Path
from typing import Any

from authority import write_new
from records import timestamp

SERIAL = re.compile(r"HT1-[0-9]{6}")
KEPT_READINGS = 720  # 12 hours at one a minute; the file is cut back when it has twice that: one day, as the privacy page says


def digest(token: str) -> str:
    # 256 random bits: a plain hash is enough, nothing can be guessed.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Units:
    def __init__(self, folder: Path, allowed: set[str] | None) -> None:
        self._folder = folder
        self._allowed = allowed
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {}
        self._readings: dict[str, collections.deque[str]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for unit in sorted(folder.iterdir()):
            try:
                self._known[unit.name] = json.loads((unit / "unit.json").read_text())
            except (OSError, ValueError):
                shutil.rmtree(unit, ignore_errors=True)  # half written when the power went: the unit registers again
                continue
            kept = unit / "telemetry.jsonl"
            lines = kept.read_text(errors="replace").splitlines() if kept.exists() else []
            self._readings[unit.name] = collections.deque(lines[-KEPT_READINGS:], KEPT_READINGS)

    def accepts(self, serial: str) -> bool:
        return SERIAL.fullmatch(serial) is not None and (self._allowed is None or serial in self._allowed)

    @staticmethod
    def new_token() -> str:
        return secrets.token_urlsafe(32)

    def register(self, serial: str, token: str, model: str, version: str) -> None:
        unit = {"serial": serial, "model": model, "version": version, "token_sha256": digest(token), "registered_at": timestamp()}
        with self._lock:
            folder = self._folder / serial
            folder.mkdir(exist_ok=True)
            write_new(folder / "unit.json", json.dumps(unit).encode(), 0o600)
            self._known[serial] = unit
            self._readings.setdefault(serial, collections.deque(maxlen=KEPT_READINGS))

    def owner_of(self, token: str) -> str | None:
        wanted = digest(token)
        with self._lock:
            for serial, unit in self._known.items():
                if hmac.compare_digest(unit["token_sha256"], wanted):
                    return serial
        return None

    def keep_reading(self, serial: str, reading: str) -> None:
        """Of units that are registered only: what comes after an erasure leaves nothing."""
        with self._lock:
            if serial not in self._known:
                return
            kept = self._readings[serial]
            kept.append(json.dumps({"at": timestamp(), "reading": reading}))
            path = self._folder / serial / "telemetry.jsonl"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
                file.write(kept[-1] + "\n")
                size = file.tell()
            # Cut back now and then, not at each reading: a unit that floods must not cost more than its lines.
            if size > 2 * sum(len(line) + 1 for line in kept):
                write_new(path, "".join(line + "\n" for line in kept).encode(), 0o600)

    def erase(self, serial: str) -> None:
        with self._lock:
            self._known.pop(serial, None)
            self._readings.pop(serial, None)
            shutil.rmtree(self._folder / serial, ignore_errors=True)
