# SPDX-License-Identifier: Apache-2.0
"""received.jsonl: all that reaches the cloud, a line each, flushed. The bench's evidence, not a part of the service."""

from __future__ import annotations

import datetime
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

LIMIT_BYTES = 256 << 20


def timestamp() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text_of(data: bytes) -> dict[str, Any]:
    """As text where it is text, else as hex: nothing that came is lost."""
    try:
        return {"body": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_hex": data.hex()}


class Received:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")
        self._lock = threading.Lock()
        self._full = False

    def add(self, kind: str, **what: Any) -> None:
        """Callable from any thread. A file that cannot grow is said once and never ends the service."""
        line = json.dumps({"at": timestamp(), "monotonic_ns": time.monotonic_ns(), "kind": kind, **what}).encode() + b"\n"
        with self._lock:
            if self._full:
                return
            try:
                if self._file.tell() + len(line) > LIMIT_BYTES:
                    raise OSError(f"it has reached {LIMIT_BYTES} bytes")
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                self._full = True
                print(f"cloud: record {self._path}: {error}: nothing more is recorded; move it away and start again", file=sys.stderr)

    def close(self) -> None:
        with self._lock:
            self._full = True
            self._file.close()
