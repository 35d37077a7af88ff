# SPDX-License-Identifier: Apache-2.0
"""Which address is the device's, of those that the bench's network gave."""

from __future__ import annotations

from typing import Any

import hilcop
import pytest
from hilcop.network import Network

ONE, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


class Leases:
    """What the network process answers to `status`."""

    def __init__(self, **leases: str) -> None:
        self.leases = leases

    def ask(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        assert (what, how) == ("status", {})
        assert timeout_s > 0
        return {"services": {"leases": self.leases}}


def network(**leases: str) -> Network:
    return Network(Leases(**leases))  # type: ignore[arg-type]


def test_the_one_that_there_is_is_the_devices() -> None:
    assert network(**{ONE: "10.77.0.5"}).address() == "10.77.0.5"


def test_of_several_nobody_is_taken_by_chance() -> None:
    both = network(**{ONE: "10.77.0.5", OTHER: "10.77.0.6"})
    with pytest.raises(hilcop.ConfigError, match="2 hosts took addresses"):
        both.address()
    assert both.address(mac=OTHER.upper()) == "10.77.0.6"


def test_one_that_has_none_is_told_in_time() -> None:
    for mac in ("", OTHER):
        with pytest.raises(hilcop.TimeoutError, match=r"no address in 0\.2 s"):
            (network() if not mac else network(**{ONE: "10.77.0.5"})).address(mac=mac, timeout_s=0.2)
