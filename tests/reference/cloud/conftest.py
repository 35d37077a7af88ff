# SPDX-License-Identifier: Apache-2.0
"""A lab's authority for all tests of a file, and a cloud for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running import PROGRAMS, Authority, Cloud, done, until

__all__ = ["PROGRAMS", "Authority", "Cloud", "done", "until"]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("lab") / "ca")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Cloud]:
    running = Cloud(tmp_path_factory.mktemp("cloud") / "dir", authority)
    yield running
    assert running.stop() == 0
    assert running.errors.read_text() == "", "it complains"
