# SPDX-License-Identifier: Apache-2.0
"""hilcop: a bench for connected devices, from Python.

with hilcop.open_bench("lab-config/virtual.yaml", duts=["board1"]) as bench:
    dut = bench.dut("board1")
    dut.power.on()
    dut.boot_to("ready")
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from hilcop._hilcop import (
    Bench,
    BootResult,
    Button,
    CommandResult,
    Console,
    DigitalInput,
    DigitalOutput,
    Dut,
    Gap,
    Match,
    PowerEdge,
    PowerPort,
    Reply,
    StageTime,
    Timeline,
    Verdict,
    WatcherHit,
    clear_interrupt,
    wait_until,
    wake_waits_on,
    worst,
)
from hilcop.errors import (
    BusyError,
    ConfigError,
    DisconnectedError,
    Error,
    ExhaustedError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    ScenarioTimeout,
    TimeoutError,
    UnsupportedError,
)
from hilcop.functions import Functions
from hilcop.scenarios import Check, Evidence, Measurement, Run, powered, scenario

__all__ = [
    "Bench",
    "BootResult",
    "BusyError",
    "Button",
    "Check",
    "CommandResult",
    "ConfigError",
    "Console",
    "DigitalInput",
    "DigitalOutput",
    "DisconnectedError",
    "Dut",
    "Error",
    "Evidence",
    "ExhaustedError",
    "Functions",
    "Gap",
    "Match",
    "Measurement",
    "NotFoundError",
    "PermissionDeniedError",
    "PowerEdge",
    "PowerPort",
    "ProtocolError",
    "Reply",
    "Run",
    "ScenarioTimeout",
    "StageTime",
    "Timeline",
    "TimeoutError",
    "UnsupportedError",
    "Verdict",
    "WatcherHit",
    "clear_interrupt",
    "open_bench",
    "powered",
    "scenario",
    "wait_until",
    "wake_waits_on",
    "worst",
]


def open_bench(
    file: str | Path,
    *,
    duts: Sequence[str] = (),
    record_dir: str | Path = "",
    boards_dir: str | Path = "",
    wait_s: float = 0,
    holder: str = "",
    timeline: Timeline | None = None,
    keeper_socket: str | Path = "",
) -> Bench:
    """Opens a lab-config file: leases its DUTs (all, or those named), records their consoles from now on.

    record_dir: where console files and timeline.ndjson go; empty: nothing is kept. boards_dir: default `boards` beside the
    file's folder. wait_s: seconds to queue while somebody else holds a DUT. Blocks until everything is at its safe state.
    Raises ConfigError with every problem of the files at once, BusyError naming the holder, NotFoundError, ...
    """
    path = Path(file)
    if timeline is None:
        timeline = Timeline(file=str(Path(record_dir) / "timeline.ndjson") if record_dir else "")
    if threading.current_thread() is threading.main_thread():
        wake_waits_on(signal.SIGINT)
    return Bench(
        file=str(path),
        boards_dir=str(boards_dir or path.resolve().parent.parent / "boards"),
        duts=list(duts),
        record_dir=str(record_dir),
        wait_s=wait_s,
        holder=holder or f"python {os.getpid()}",
        timeline=timeline,
        keeper_socket=str(keeper_socket),
    )
