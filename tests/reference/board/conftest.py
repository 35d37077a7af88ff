# SPDX-License-Identifier: Apache-2.0
"""A unit of the reference device for each test, in a machine that ends with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine import Machine, make_unit
from network import Cloud, Network


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked full runs with ./dev test --all alone."""
    if "HILCOP_TEST_ALL" in os.environ:
        return
    full = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=full)
    items[:] = [item for item in items if item not in full]


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
