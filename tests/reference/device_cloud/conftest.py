# SPDX-License-Identifier: Apache-2.0
"""Units that end with their test, and the maker's real cloud for a file of tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ht1 import Device, Unit
from running import Authority, authority, cloud

__all__ = ["authority", "cloud"]
NewUnit = Callable[..., Unit]
NewDevice = Callable[..., Device]
NUMBERS = itertools.count(1)  # the tests of a file share a cloud


@pytest.fixture
def new_unit(tmp_path: Path, authority: Authority) -> NewUnit:
    made: list[Unit] = []

    def make(*flaws: str) -> Unit:
        made.append(Unit(tmp_path / f"unit{len(made)}", authority, f"HT1-{next(NUMBERS):06d}", flaws))
        return made[-1]

    return make


@pytest.fixture
def new_device() -> Iterator[NewDevice]:
    """Started, and not waited for: several start at once."""
    made: list[Device] = []

    def make(unit: Unit, *words: str | Path, **how: Any) -> Device:
        made.append(Device(unit, *words, **how))
        return made[-1]

    yield make
    for device in made:
        device.kill()
