# SPDX-License-Identifier: Apache-2.0
"""The network that a DUT hangs on: hilcop owns it entirely, records it, and breaks it when asked.

dut.network.impair(delay_s=0.1, loss=0.05)
with dut.network.outage():
    ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hilcop._hilcop import NetworkPort

Direction = Literal["both", "from_device", "to_device"]
Outage = Literal["link", "wire"]


class Network:
    """Of one DUT. Calls block until it is done, `timeout_s` seconds at most, then TimeoutError; what the bench does is on the timeline and
    stands as a comment in the capture."""

    def __init__(self, port: NetworkPort) -> None:
        self._port = port

    @property
    def capture_file(self) -> Path | None:
        """What is recorded from before the first power-on until the bench closes (pcapng, nanoseconds); None: the bench records nothing."""
        return Path(self._port.capture_file) if self._port.capture_file else None

    def status(self, *, timeout_s: float = 5) -> dict[str, Any]:
        """Whether the cable is plugged, what is recorded and was lost (`captures`), what the wire did in each direction."""
        result: dict[str, Any] = self._port.ask("status", {}, timeout_s=timeout_s)
        return result

    def sync_capture(self, name: str = "main", *, timeout_s: float = 5) -> dict[str, Any]:
        """Returns when all that had passed is in the file: {packets, bytes, dropped, failure}. An absence is proved by a capture that
        dropped nothing alone."""
        result: dict[str, Any] = self._port.ask("capture.sync", {"name": name}, timeout_s=timeout_s)
        return result

    @contextmanager
    def capture(self, file: Path | str, *, name: str = "extra", timeout_s: float = 5) -> Iterator[dict[str, Any]]:
        """A second capture, into a file that must not exist, for as long as the block runs. The dict has its figures after that."""
        figures: dict[str, Any] = {}
        self._port.ask("capture.start", {"name": name, "file": str(Path(file).absolute())}, timeout_s=timeout_s)
        try:
            yield figures
        finally:
            figures.update(self._port.ask("capture.stop", {"name": name}, timeout_s=timeout_s))

    def mark(self, text: str, *, timeout_s: float = 5) -> None:
        """A comment at the next packet."""
        self._port.ask("mark", {"text": text}, timeout_s=timeout_s)

    @contextmanager
    def outage(self, what: Outage = "link", *, timeout_s: float = 10) -> Iterator[None]:
        """For as long as the block runs: `link`: the cable is pulled, as the device sees; `wire`: it has a link, but nothing passes."""
        self._fail(what, True, timeout_s)
        try:
            yield
        finally:
            self._fail(what, False, timeout_s)

    def _fail(self, what: Outage, on: bool, timeout_s: float) -> None:
        if what == "link":
            self._port.set_link(not on, timeout_s=timeout_s)
        elif what == "wire":
            self._port.change("cut", {"cut": on}, timeout_s=timeout_s)
        else:
            raise ValueError(f"there is no outage '{what}'; choose one of: link, wire")

    def impair(
        self,
        *,
        loss: float = 0,
        delay_s: float = 0,
        jitter_s: float = 0,
        reorder: float = 0,
        duplicate: float = 0,
        corrupt: float = 0,
        rate_bit_s: int = 0,
        queue: int = 1000,
        direction: Direction = "both",
        seed: int = 1,
        timeout_s: float = 5,
    ) -> None:
        """From now on, instead of what was before; without arguments the wire is clean again. Shares (loss, reorder, duplicate, corrupt) are
        of the frames, 0 to 1; jitter_s is the delay's standard deviation; rate_bit_s 0 is no limit; `queue` frames wait at most. The same
        seed makes the same faults of the same frames. ConfigError where it makes no sense."""
        shares = {"loss": loss, "reorder": reorder, "duplicate": duplicate, "corrupt": corrupt}
        times = {"delay_s": delay_s, "jitter_s": jitter_s}
        rest = {"rate_bit_s": rate_bit_s, "queue": queue, "direction": direction, "seed": seed}
        self._port.change("impair", {**shares, **times, **rest}, timeout_s=timeout_s)
