# SPDX-License-Identifier: Apache-2.0
"""What the maker knows of one unit: lab-config's `unit_record:`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hilcop.errors import make


def read_unit_record(dut: str, file: str) -> dict[str, Any]:
    """The JSON object in it. ConfigError naming what is to be mended."""

    def refuse(cause: str, remedy: str) -> Exception:
        return make("Config", f"dut '{dut}'", cause, remedy, f"dut '{dut}': {cause}; {remedy}")

    if not file:
        raise refuse("has no unit_record", "name the JSON file of what its maker knows of it: `unit_record:` in lab-config")
    try:
        record = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise refuse(f"its unit_record cannot be read: {wrong}", f"mend {file}") from None
    if not isinstance(record, dict):
        raise refuse(f"its unit_record is no JSON object: {file}", 'write one: {"setup_secret": ...}')
    return record
