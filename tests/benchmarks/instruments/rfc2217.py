# SPDX-License-Identifier: Apache-2.0
"""RFC 2217 clients on one ser2net, one after the other in every round: round trips of a 32-byte command, and a flood."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from table import Row, ratio, spread

SOURCE = Path(__file__).resolve().parents[3]
PROGRAMS = SOURCE / "build" / "release" / "tests" / "benchmarks"
PEER = Path(__file__).parent / "peer.py"
HILCOP = [str(PROGRAMS / "bench_rfc2217_client")]
PYSERIAL = ["/usr/bin/python3", "-B", str(PEER)]
FLOOD_BYTES = 16 << 20


def device(master: int) -> None:
    """Echoes lines; to `go` it answers with a flood of FLOOD_BYTES."""
    block = bytes(range(32, 127)) * 43
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:
            return
        if data == b"go\n":
            left = FLOOD_BYTES
            while left > 0:
                left -= os.write(master, block[:left])
        else:
            os.write(master, data)


@contextmanager
def server() -> Iterator[int]:
    """ser2net on a pseudo-terminal with modem lines (pyserial's client does not open without); yields its TCP port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    master, slave = pty.openpty()
    tty.setraw(slave)
    child = os.fork()
    if child == 0:
        # A process of its own: its work is not the client's.
        os.close(slave)
        device(master)
        os._exit(0)
    with tempfile.TemporaryDirectory(prefix="hilcop-bench-") as folder:
        config = Path(folder) / "ser2net.yaml"
        config.write_text(
            f"connection: &c1\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n"
            f"  connector: serialdev,{os.ttyname(slave)},115200n81,local\n  options:\n    chardelay: false\n"
        )
        run = subprocess.Popen(
            ["/usr/sbin/ser2net", "-n", "-u", "-c", str(config), "-P", f"{folder}/pid"],
            env={**os.environ, "LD_PRELOAD": str(PROGRAMS / "libbench_pty_port.so")},
            stderr=subprocess.DEVNULL,
        )
        try:
            listening = f"0100007F:{port:04X} 00000000:0000 0A"
            end = time.monotonic() + 10
            while listening not in Path("/proc/net/tcp").read_text():
                if time.monotonic() > end or run.poll() is not None:
                    sys.exit("bench: ser2net does not start")
                threading.Event().wait(0.01)
            yield port
        finally:
            run.kill()
            run.wait()
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(master)
            os.close(slave)


def measured(client: list[str], what: str, count: int) -> dict[str, float]:
    """A server of its own for each client: none meets what another left behind."""
    with server() as port:
        done = subprocess.run([*client, what, str(port), str(count)], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {client[-1]} {what} failed: {done.stderr}")
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


def rfc2217(quick: bool) -> list[Row]:
    rounds, trips = (3, 1500) if quick else (9, 4000)
    ours: dict[str, list[dict[str, float]]] = {"trips": [], "expects": [], "flood": []}
    theirs: dict[str, list[dict[str, float]]] = {"trips": [], "flood": []}
    for _ in range(rounds):
        ours["trips"].append(measured(HILCOP, "trips", trips))
        theirs["trips"].append(measured(PYSERIAL, "trips", trips))
        ours["expects"].append(measured(HILCOP, "expects", trips))
        ours["flood"].append(measured(HILCOP, "flood", FLOOD_BYTES))
        theirs["flood"].append(measured(PYSERIAL, "flood", FLOOD_BYTES))

    def each(runs: list[dict[str, float]], name: str) -> list[float]:
        return [run[name] for run in runs]

    def rate(runs: list[dict[str, float]]) -> list[float]:
        return [trips / run["wall_s"] for run in runs]

    def against(what: str, name: str) -> float:
        return ratio(each(ours[what], name), each(theirs["trips" if what == "expects" else what], name))

    def megabytes(runs: list[dict[str, float]]) -> str:
        return spread([FLOOD_BYTES / 1e6 / run["wall_s"] for run in runs])

    median = statistics.median
    both = f"hilcop {spread(rate(ours['trips']), digits=0)}, pyserial {spread(rate(theirs['trips']), digits=0)} a second"
    return [
        Row("RFC 2217 round trips, hilcop", median(rate(ours["trips"])), "/s", detail=both),
        Row("its rate against pyserial's", ratio(rate(ours["trips"]), rate(theirs["trips"])), "times", ">= 2"),
        Row("its processor time against pyserial's", against("trips", "cpu_s"), "times", "<= 0.5"),
        Row(
            "the same through a Console that waits for each",
            ratio(rate(ours["expects"]), rate(theirs["trips"])),
            "times",
            detail=f"{spread(rate(ours['expects']), digits=0)} a second",
        ),
        Row(
            "16 MiB from the line, rate against pyserial's",
            1 / against("flood", "wall_s"),
            "times",
            detail=f"hilcop {megabytes(ours['flood'])}, pyserial {megabytes(theirs['flood'])} MB/s; "
            "pyserial queues each byte by itself, hilcop waits for ser2net",
        ),
        Row("its processor time against pyserial's", against("flood", "cpu_s"), "times", "<= 0.5"),
    ]
