# SPDX-License-Identifier: Apache-2.0
"""A unit of the reference device for each test, in a machine that ends with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine import Machine, make_unit
from network import Cloud, Network


@pytest.fixture
def new_machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def make(*words: str, tap: str = "", ports: tuple[int, ...] = (), power_loss: bool = False) -> Machine:
        folder = tmp_path / f"unit{len(made)}"
        make_unit(folder, *words)
        made.append(Machine(folder, tap, ports=ports, power_loss=power_loss))
        return made[-1]

    yield make
    for machine in made:
        machine.close()


@pytest.fixture
def machine(new_machine: Callable[..., Machine]) -> Machine:
    return new_machine()


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    running = Network(tmp_path_factory.mktemp("bench") / "network")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def cloud(network: Network) -> Cloud:
    return Cloud(network)
