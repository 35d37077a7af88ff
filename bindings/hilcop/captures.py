# SPDX-License-Identifier: Apache-2.0
"""A capture that is recorded for as long as a block runs: of a DUT's network, and of its USB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilcop.errors import make

if TYPE_CHECKING:
    from hilcop._hilcop import UsbPort

Ring = dict[str, float] | None


@contextmanager
def recorded(
    start: Callable[[str, Ring], object], stop: Callable[[], dict[str, Any]], file: Path | str, file_bytes: int, files: int, file_s: float
) -> Iterator[dict[str, Any]]:
    """The dict has the figures that `stop` gives, after the block. A block that ends well raises what could not be written."""
    ring: Ring = {"file_bytes": file_bytes, "files": files, "file_s": file_s} if file_bytes or files or file_s else None
    figures: dict[str, Any] = {}
    start(str(Path(file).absolute()), ring)
    try:
        yield figures
    finally:
        figures.update(stop())
    if failure := figures["failure"]:
        kind, object, cause, remedy = (failure[key] for key in ("kind", "object", "cause", "remedy"))
        raise make(kind, object, cause, remedy, f"{object}: {cause}; {remedy}")


@contextmanager
def usb_capture(port: UsbPort, file: Path | str, name: str, file_bytes: int, files: int, file_s: float) -> Iterator[dict[str, Any]]:
    """UsbPort.capture."""
    with recorded(
        lambda path, ring: port._start_capture(name, path, ring), lambda: port._stop_capture(name), file, file_bytes, files, file_s
    ) as figures:
        yield figures
