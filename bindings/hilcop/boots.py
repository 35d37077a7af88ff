# SPDX-License-Identifier: Apache-2.0
"""No line that was not in the reference boot: a check with its controls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hilcop import _hilcop

if TYPE_CHECKING:
    from hilcop._hilcop import BootLine, BootLog
    from hilcop.scenarios import Check, Evidence

# Whatever the noise patterns of a board are: a line in words, one of the kernel, one that is mostly numbers.
PLANTED = (
    "hilcop planted this line to see whether it is found",
    "[    1.234567] hilcop: a kernel message that no board prints",
    "hilcop 4711: status 0815 of 42",
)
MOST_EVIDENCE = 20


class ReferenceBoots(_hilcop.ReferenceBoots):
    """What sound boots of a board say: of run directories (paths) and of BootLogs, in any mixture.

    Only boots without a doubt count (`boot.doubt`); `left_out` names the others. dut: boots of this DUT alone; needed where a run
    directory has boots of several. With two boots or more, numbers that vary between them are learned as noise. Reads the files
    when it is made. Raises NotFoundError where a directory has no timeline, ValueError when boots are of several DUTs and `dut`
    is not given, or when a BootLog is of another DUT.
    """

    def __init__(self, *sources: str | Path | BootLog, dut: str = "") -> None:
        boots: list[BootLog] = []
        for source in sources:
            boots += [source] if isinstance(source, _hilcop.BootLog) else _hilcop.read_boots(source, dut)
        names = {boot.dut for boot in boots}
        if dut and names - {dut}:
            raise ValueError(f"a boot of {', '.join(sorted(names - {dut}))} is no reference for {dut}")
        if len(names) > 1 and not dut:
            raise ValueError(f"these are boots of several DUTs ({', '.join(sorted(names))}): choose one with dut=")
        super().__init__([], dut, boots)

    def judge(self, check: Check, boot: BootLog, *, missing: bool = True) -> None:
        """Judges a boot of this run: Fail for lines that the reference lacks and, with `missing`, for lines that only it has.

        The controls come first: the reference has lines, and the comparison finds planted ones. A line that is new is a Fail even
        in a boot in doubt: it is there. Without one, a boot in doubt is Inconclusive, never Pass. Raises ValueError for a boot
        that is not recorded in this run, or that is one of the reference boots itself.
        """
        run = check.run
        if boot.dut != run.dut_name or not boot.file:
            raise ValueError(f"boot {boot.boot} of {boot.dut} is not recorded in this run of {run.dut_name}: judge dut.boot_log()")
        if self.has(boot):
            raise ValueError(f"boot {boot.boot} of {boot.dut} is one of the reference boots: held against itself none differs")
        check.control("the reference has boots", ok=self.boots > 0 and self.lines > 0, detail=self._text())
        if self.boots == 0:
            check.inconclusive(f"the reference is empty: {'; '.join(self.left_out) or 'no boots were given'}")
            return
        unseen = [line for line in PLANTED if not self.would_find(line)]
        seen = f"{len(PLANTED) - len(unseen)} of {len(PLANTED)} planted lines found"
        check.control("a line that the reference lacks is found", ok=not unseen, detail=seen)
        new = boot.lines_not_in(self)
        gone = boot.lines_missing_from(self) if missing and not boot.doubt else []
        if new or gone:
            observed = "; ".join(_told(new, "new") + _told(gone, "missing"))
            places = [run.console_evidence(line, f"new: {line.text}") for line in new[:MOST_EVIDENCE]]
            places += [run.console_evidence(line, f"missing: {line.text}") for line in gone[:MOST_EVIDENCE]]
            check.fail(observed=observed, evidence=places)
        elif boot.doubt:
            check.inconclusive(boot.doubt, evidence=[self._whole(check, boot)])
        else:
            observed = f"boot {boot.boot}: {self.compared(boot)} of {len(boot.lines)} lines compared, none that the reference lacks"
            check.judge(True, observed=observed, evidence=[self._whole(check, boot)])

    def _text(self) -> str:
        left_out = f"; left out: {'; '.join(self.left_out)}" if self.left_out else ""
        return f"{self.boots} boots, {self.lines} lines, {self.learned} numbers learned as noise{left_out}"

    @staticmethod
    def _whole(check: Check, boot: BootLog) -> Evidence:
        return check.run.console_evidence((boot.begin, boot.end), f"boot {boot.boot}")


def _told(lines: list[BootLine], kind: str) -> list[str]:
    if not lines:
        return []
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return [f"{len(lines)} {kind}: {', '.join(repr(line.text) for line in lines[:3])}{more}"]
