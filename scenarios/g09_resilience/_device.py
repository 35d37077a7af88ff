# SPDX-License-Identifier: Apache-2.0
"""What G09 asks of the board, by the functions that its board file declares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hilcop import Dut, Match

# What the board file must declare: boards/qemu-arm64.yaml says what each is.
FUNCTIONS = (
    "data_write",
    "data_acknowledged",
    "data_list",
    "data_listed",
    "data_verify",
    "config_write",
    "config_acknowledged",
    "config_read",
    "config_missing",
    "file_system_check",
    "disk",
)


@dataclass
class Kept:
    """What the device has acknowledged so far: it must be there, whole, after every cut."""

    records: dict[str, str] = field(default_factory=dict)  # key -> checksum that was acknowledged
    config: str = ""  # the last acknowledged value
    config_in_flight: str = ""  # sent, not acknowledged: either value may stand


@dataclass
class Findings:
    """What is wrong after a cut. Empty: nothing."""

    problems: list[str] = field(default_factory=list)
    begin: int = 0
    end: int = 0


class Device:
    """The board's declared functions, as commands on its console."""

    def __init__(self, dut: Dut) -> None:
        self.dut = dut
        self.function = dut.function

    def start_burst(self, prefix: str) -> None:
        self.dut.console.write_line(self.function("data_write", prefix=prefix, count=40, size=3000))

    def acknowledged(self, prefix: str, begin: int, end: int) -> dict[str, str]:
        """Records whose whole acknowledgement line stands in this part of the console."""
        text = self.dut.console.bytes(begin, end).decode(errors="replace")
        return dict(re.findall(self.function("data_acknowledged", prefix=prefix) + r"\r?\n", text))

    def start_config(self, value: str) -> None:
        self.dut.console.write_line(self.function("config_write", name="mode", value=value))

    def config_acknowledged(self, timeout_s: float = 5) -> Match | None:
        return self.dut.console.try_expect(re.escape(self.function("config_acknowledged", name="mode")) + r"\r?\n", timeout_s=timeout_s)

    def examine(self, kept: Kept) -> Findings:
        """After a boot: is everything acknowledged there, is everything whole, is the file system sound?"""
        console = self.dut.console
        found = Findings(begin=console.offset)
        listed = dict(re.findall(self.function("data_listed"), console.run(self.function("data_list")).output, re.MULTILINE))
        for key, checksum in kept.records.items():
            there = listed.get(key)
            if there is None:
                found.problems.append(f"acknowledged record {key} is lost")
            elif there != checksum:
                found.problems.append(f"acknowledged record {key} reads {there}, not {checksum}")
        found.problems += [
            f"record {key} is damaged" for key, checksum in listed.items() if checksum == "damaged" and key not in kept.records
        ]
        verify = console.run(self.function("data_verify"))
        if verify.exit_status != 0 and not found.problems:
            found.problems.append(f"its own verification fails: {verify.output.strip()}")
        # Before the first acknowledged value there is none: the board file says what it reads then.
        allowed = [kept.config or self.function("config_missing"), *([kept.config_in_flight] if kept.config_in_flight else [])]
        if kept.config or kept.config_in_flight:
            value = console.run(self.function("config_read", name="mode")).output.strip()
            if value not in allowed:
                found.problems.append(f"setting reads '{value}', not {' or '.join(repr(v) for v in allowed)}")
            elif value == kept.config_in_flight:
                kept.config = value
            kept.config_in_flight = ""
        if console.run(self.function("file_system_check")).exit_status != 0:
            found.problems.append("the file system has errors or is not writable")
        found.end = console.offset
        return found
