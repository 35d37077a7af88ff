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
import sys
import threading
from typing import TYPE_CHECKING

from hilcop._hilcop import (
    Bench,
    BootLine,
    BootLog,
    BootResult,
    Button,
    CommandResult,
    Console,
    DigitalInput,
    DigitalOutput,
    Dut,
    FlashResult,
    Gap,
    Match,
    Meter,
    PowerEdge,
    PowerPort,
    Reading,
    Reply,
    StageTime,
    Timeline,
    UsbDevice,
    UsbInterface,
    UsbPort,
    Verdict,
    WatcherHit,
    clear_interrupt,
    read_boots,
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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hilcop.boots import ReferenceBoots
    from hilcop.canaries import CanarySearch, find_canaries
    from hilcop.capture_report import CaptureReport, read_capture
    from hilcop.scenarios import Check, Evidence, Held, Measurement, Run, held, powered, scenario

__all__ = [
    "Bench",
    "BootLine",
    "BootLog",
    "BootResult",
    "BusyError",
    "Button",
    "CanarySearch",
    "CaptureReport",
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
    "FlashResult",
    "Functions",
    "Gap",
    "Held",
    "Match",
    "Measurement",
    "Meter",
    "NotFoundError",
    "PermissionDeniedError",
    "PowerEdge",
    "PowerPort",
    "ProtocolError",
    "Reading",
    "ReferenceBoots",
    "Reply",
    "Run",
    "ScenarioTimeout",
    "StageTime",
    "Timeline",
    "TimeoutError",
    "UnsupportedError",
    "UsbDevice",
    "UsbInterface",
    "UsbPort",
    "Verdict",
    "WatcherHit",
    "clear_interrupt",
    "find_canaries",
    "held",
    "open_bench",
    "powered",
    "read_boots",
    "read_capture",
    "scenario",
    "wait_until",
    "wake_waits_on",
    "worst",
]


# What scenarios need is imported when it is asked for: a script or a pytest run that has none starts sooner by half.
_SCENARIOS = ("Check", "Evidence", "Held", "Measurement", "Run", "held", "powered", "scenario")
_CAPTURES = {"CanarySearch": "canaries", "find_canaries": "canaries", "CaptureReport": "capture_report", "read_capture": "capture_report"}
_LATER = {"ReferenceBoots": "boots"} | _CAPTURES | dict.fromkeys(_SCENARIOS, "scenarios")


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'hilcop' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"hilcop.{_LATER[name]}"), name)
    globals()[name] = found
    return found


def open_bench(
    file: str | Path,
    *,
    duts: Sequence[str] = (),
    record_dir: str | Path = "",
    capture_dir: str | Path = "",
    boards_dir: str | Path = "",
    wait_s: float = 0,
    holder: str = "",
    timeline: Timeline | None = None,
    keeper_socket: str | Path = "",
    faults: str = "",
    on_wait: Callable[[str], None] | None = None,
    without_selftest: bool = False,
    shared_network: bool = False,
) -> Bench:
    """Opens a lab-config file: leases its DUTs (all, or those named), records their consoles from now on.

    record_dir: where console files and timeline.ndjson go; empty: nothing is kept. capture_dir: where the captures of networks go;
    default: `network` in record_dir. boards_dir: default: the nearest folder
    `boards` above the file's own. wait_s: seconds to queue while somebody else holds a DUT; on_wait is
    then told once who holds it and since when (default: printed on stderr). Blocks until everything is at its safe state.
    faults: makes the consoles misbehave on purpose, to test a scenario: "drop_every=5000,stall_every=20000,seed=3" (as
    `hilcop run --faults`). without_selftest: opens DUTs whose newest self-test failed, too, or that lab-config wants tested first (as
    `hilcop run --without-selftest`): nothing that is seen there proves anything.
    shared_network: the DUTs hang on one network of the bench's and hear each other, instead of on one each.
    Raises UnsupportedError where a self-test refuses a DUT, before anything is touched; ConfigError with every problem of the files at
    once, BusyError naming the holder, NotFoundError, ...
    """
    if timeline is None:
        timeline = Timeline(file=os.path.join(record_dir, "timeline.ndjson") if record_dir else "")
    if threading.current_thread() is threading.main_thread():
        wake_waits_on(signal.SIGINT)
    return Bench(
        file=str(file),
        boards_dir=str(boards_dir),
        duts=list(duts),
        record_dir=str(record_dir),
        capture_dir=str(capture_dir),
        wait_s=wait_s,
        holder=holder or f"python {os.getpid()}",
        timeline=timeline,
        keeper_socket=str(keeper_socket),
        faults=faults,
        on_wait=on_wait or (lambda text: print(f"hilcop: {text}", file=sys.stderr, flush=True)),
        without_selftest=without_selftest,
        shared_network=shared_network,
    )
