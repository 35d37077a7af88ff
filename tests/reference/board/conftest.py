# SPDX-License-Identifier: Apache-2.0
"""A unit of the reference device for each test, in a machine that ends with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine import Machine, make_unit


@pytest.fixture
def new_machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def make(*words: str, ports: tuple[int, ...] = ()) -> Machine:
        folder = tmp_path / f"unit{len(made)}"
        make_unit(folder, *words)
        made.append(Machine(folder, ports))
        return made[-1]

    yield make
    for machine in made:
        machine.off()


@pytest.fixture
def machine(new_machine: Callable[..., Machine]) -> Machine:
    return new_machine()
