# SPDX-License-Identifier: Apache-2.0
"""A capture that is recorded for as long as a block runs: of a DUT's network, and of its USB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from hilcop.errors import make

if TYPE_CHECKING:
    from hilcop._hilcop import UsbPort

Ring = dict[str, float] | None


class Failure(TypedDict):
    """An Error that is told, not raised."""

    kind: str
    object: str
    cause: str
    remedy: str
    context: list[str]


class CaptureFigures(TypedDict, total=False):
    """Of a capture of a network or of USB. An absence is proved only where `dropped` and `snapped` are 0 and `failure` is None; of a ring
    not before `begins_ns`."""

    packets: int  # written
    bytes: int  # of the files that are kept
    dropped: int  # by the interface or the kernel, or because they could not be written
    snapped: int  # packets of which not all bytes are kept
    notes_lost: int  # marks and secrets
    files: list[str]  # in their order
    files_removed: int  # of a ring
    packets_removed: int
    secrets_forgotten: int
    begins_ns: int  # steady clock: since when all that passed is in the files that are kept
    begins_utc_ns: int
    failure: Failure | None  # why not all is in the file


@contextmanager
def recorded(
    start: Callable[[str, Ring], object], stop: Callable[[], CaptureFigures], file: Path | str, file_bytes: int, files: int, file_s: float
) -> Iterator[CaptureFigures]:
    """The dict has the figures that `stop` gives, after the block. A block that ends well raises what could not be written."""
    ring: Ring = {"file_bytes": file_bytes, "files": files, "file_s": file_s} if file_bytes or files or file_s else None
    figures: CaptureFigures = {}
    start(str(Path(file).absolute()), ring)
    try:
        yield figures
    finally:
        figures.update(stop())
    if failure := figures["failure"]:
        object, cause, remedy = failure["object"], failure["cause"], failure["remedy"]
        raise make(failure["kind"], object, cause, remedy, f"{object}: {cause}; {remedy}")


@contextmanager
def usb_capture(port: UsbPort, file: Path | str, name: str, file_bytes: int, files: int, file_s: float) -> Iterator[CaptureFigures]:
    """UsbPort.capture."""

    def stop() -> CaptureFigures:
        return cast("CaptureFigures", port._stop_capture(name))

    with recorded(lambda path, ring: port._start_capture(name, path, ring), stop, file, file_bytes, files, file_s) as figures:
        yield figures
