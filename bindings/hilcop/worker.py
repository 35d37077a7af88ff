# SPDX-License-Identifier: Apache-2.0
"""The process that `hilcop run` starts for each DUT: runs its scenarios one after another. See harness/run/docs/worker-protocol.md.

`python3 -m hilcop.worker --list [PATH...]` prints the scenarios found, as JSON.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hilcop
from hilcop import scenarios

if TYPE_CHECKING:
    from types import FrameType

AGAIN_S = 1.0
GIVE_UP_S = 10.0


def load(paths: Sequence[str]) -> list[dict[str, str]]:
    """Imports every scenario file below the paths; returns those that are broken, with their error."""
    broken = []
    for path in paths:
        root = Path(path).resolve()
        files = [root] if root.is_file() else sorted(p for p in root.rglob("*.py") if not p.name.startswith("_"))
        for file in files:
            try:
                _import(file)
            except Exception:
                broken.append({"file": str(file), "error": traceback.format_exc(limit=-3)})
    return broken


def _import(file: Path) -> None:
    name = "hilcop_scenarios." + "_".join(file.with_suffix("").parts[-2:])
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))  # a scenario's own modules stand beside it
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def list_scenarios(paths: Sequence[str]) -> int:
    """Prints the scenarios as one JSON array; broken files are entries with an error."""
    entries: list[dict[str, Any]] = list(load(paths))
    for found in scenarios.REGISTRY.values():
        entries.append(
            {
                "id": found.id,
                "title": found.title,
                "clauses": list(found.clauses),
                "roles": list(found.roles),
                "board_keys": list(found.board_keys),
                "timeout_s": found.timeout_s,
                "file": found.file,
                "line": found.line,
            }
        )
    print(json.dumps(entries))
    return 0


class TimeLimit:
    """Turns SIGUSR1 into ScenarioTimeout in the main thread, again every second until the scenario has ended."""

    def __init__(self) -> None:
        self.running = False
        signal.signal(signal.SIGUSR1, self._expired)
        signal.signal(signal.SIGALRM, self._expired)
        for number in (signal.SIGUSR1, signal.SIGALRM, signal.SIGINT):
            hilcop.wake_waits_on(number)

    def _expired(self, _number: int, _frame: FrameType | None) -> None:
        if self.running:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
            raise hilcop.ScenarioTimeout("the scenario is over its time")

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        hilcop.clear_interrupt()  # of the scenario before, after its end
        self.running = True
        try:
            yield
        finally:
            self.running = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            hilcop.clear_interrupt()


class Worker:
    """Opens the bench with its one DUT, runs what the supervisor asks for, records everything."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.dut_name = str(settings["dut"])
        self.run_dir = Path(settings["run_dir"])
        self.control = socket.socket(fileno=int(settings["control_fd"]))
        self.lines = self.control.makefile("r", encoding="utf-8")
        self.requests: list[dict[str, Any]] = []
        self.arrived = threading.Condition()
        self.ended = False
        self.limit = TimeLimit()
        self.timeline: hilcop.Timeline

    def say(self, **line: Any) -> None:
        with contextlib.suppress(OSError):  # a supervisor that is gone is noticed by the reader
            self.control.sendall((json.dumps(line) + "\n").encode())

    def read_requests(self) -> None:
        for line in self.lines:
            with self.arrived:
                self.requests.append(json.loads(line))
                self.arrived.notify()
        # The supervisor is gone: end as by Ctrl-C; if that does not work, the whole group ends.
        with self.arrived:
            self.ended = True
            self.arrived.notify()
        # To the main thread itself: a signal that another thread receives does not wake it.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        threading.Timer(GIVE_UP_S, lambda: os.killpg(0, signal.SIGKILL)).start()

    def next_request(self) -> dict[str, Any] | None:
        with self.arrived:
            while not self.requests and not self.ended:
                self.arrived.wait(0.5)
            return self.requests.pop(0) if self.requests else None

    def serve(self) -> int:
        reader = threading.Thread(target=self.read_requests, daemon=True)
        reader.start()
        try:
            self.timeline = hilcop.Timeline(
                file=str(self.run_dir / "timeline" / f"worker-{self.dut_name}.ndjson"),
                socket=str(Path(self.settings["runtime_dir"]) / f"events-{os.getpid()}.sock"),
                writer=f"worker-{self.dut_name}",
            )
            bench = hilcop.open_bench(
                self.settings["bench"],
                duts=[self.dut_name],
                record_dir=self.run_dir / "console",
                capture_dir=self.run_dir / "network",
                boards_dir=self.settings["boards_dir"],
                wait_s=float(self.settings.get("wait_s", 0)),
                holder=str(self.settings.get("holder", "hilcop run")),
                timeline=self.timeline,
                keeper_socket=self.settings.get("keeper_socket", ""),
                faults=str(self.settings.get("faults", "")),
                on_wait=lambda text: self.say(op="waiting", text=text),
                without_selftest=True,  # whoever started the run has decided, and its checks say what that means
            )
        except hilcop.Error as error:
            self.say(op="failed", error=error.as_json())
            return 3
        with bench:
            broken = load(self.settings["scenario_paths"])
            for entry in broken:
                self.timeline.emit(f"worker-{self.dut_name}", "log", {"level": "error", "text": f"{entry['file']}: {entry['error']}"})
            self.say(op="ready")
            while (request := self.next_request()) and request["op"] == "run":
                self.run_one(bench, request)
                self.say(op="done", id=request["id"])
        self.timeline.check()
        return 0

    def run_one(self, bench: hilcop.Bench, request: dict[str, Any]) -> None:
        found = scenarios.REGISTRY[request["id"]]
        dut = bench.dut(self.dut_name)
        run = scenarios.Run(
            found,
            self.dut_name,
            self.timeline,
            int(self.settings["seed"]),
            str(self.settings["effort"]),
            self.run_dir / "console",
            dut.power_timing,
        )
        if reason := found.lacking(dut):
            run.emit("scenario.not_run", id=found.id, reason=reason)
            return
        run.emit(
            "scenario.begin",
            id=found.id,
            title=found.title,
            clauses=list(found.clauses),
            attempt=request.get("attempt", 1),
            seed=run.seed,
            effort=run.effort,
        )
        begin = time.monotonic()
        error: dict[str, str] | None = None
        trace = ""
        try:
            with self.limit.watching():
                found.function(dut, run)
        except hilcop.ScenarioTimeout:
            limit = f"{request['timeout_s']:g} s"
            error = _error("Timeout", f"scenario {found.id}", f"was over its time of {limit}", "give it more time, or see where it waits")
            trace = traceback.format_exc(limit=-6)
        except hilcop.Error as failure:
            error, trace = failure.as_json(), traceback.format_exc(limit=-6)
        except Exception as failure:
            error = _error("Protocol", f"scenario {found.id}", f"is broken: {type(failure).__name__}: {failure}", "mend the scenario")
            trace = traceback.format_exc(limit=-6)
        left = self.restore(dut, run)
        error = error or left  # a board that may still have power is an error of its own
        run.finish()
        run.emit("scenario.end", id=found.id, error=error, traceback=trace, elapsed_s=time.monotonic() - begin)

    def restore(self, dut: hilcop.Dut, run: scenarios.Run) -> dict[str, str] | None:
        """Whatever the scenario left: its children are ended, the DUT's power is off. Or the error that prevents it."""
        _end_children()
        try:
            # Whatever it reads now: an `on` that was interrupted may still be on its way, and `off` comes after it.
            dut.power.off()
        except hilcop.NotFoundError:
            pass  # a DUT without a power role
        except hilcop.Error as error:
            run.emit("log", level="error", text=f"the DUT could not be brought to its safe state: {error}")
            return error.as_json()
        return None


def _error(kind: str, object: str, cause: str, remedy: str) -> dict[str, str]:
    return {"kind": kind, "object": object, "cause": cause, "remedy": remedy}


def _end_children() -> None:
    """Processes of our group that are not us: what a scenario started and left."""
    group = os.getpgrp()
    if group != os.getpid():
        return  # not a group of our own: a test runs us in its process
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[2]) == group:
                    os.kill(int(entry.name), signal.SIGKILL)


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["--list"]:
        return list_scenarios(arguments[1:])
    settings = json.loads(os.environ.pop("HILCOP_WORKER"))
    try:
        return Worker(settings).serve()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # not waiting for threads of a scenario
