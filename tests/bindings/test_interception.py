# SPDX-License-Identifier: Apache-2.0
"""What is known of a device's connections to the bench in its servers' place: those that have ended, and how many go on."""

from __future__ import annotations

from typing import Any

import hilcop
import pytest
from hilcop.interception import Interception

CONNECTION = {"outcome": "sent_application_data", "case": "expired", "name": "a.example", "cause": "it closed it", "data": "hello"}


class Connections:
    """What the network process answers to `intercept.ended`."""

    def __init__(self, **figures: Any) -> None:
        self.figures = {"connections": [], "going": 0, "no_longer_kept": 0, **figures}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def ask(self, what: str, how: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        assert timeout_s > 0
        self.asked.append((what, how))
        return self.figures


def test_those_that_ended_and_those_that_go_on_are_asked_of_one_target_and_time() -> None:
    port = Connections(connections=[{**CONNECTION, "asks_for_staple": False}], going=2)
    tls = Interception(port)  # type: ignore[arg-type]
    assert tls.going(server_name="a.example", since_ns=5) == 2
    (one,) = tls.ended(server_name="a.example", since_ns=5)
    assert (one.outcome, one.case, one.data, one.all["asks_for_staple"]) == ("sent_application_data", "expired", "hello", False)
    target = {"server_name": "a.example", "address": "", "port": 0}
    assert port.asked == [("intercept.ended", {"target": target, "since_ns": 5})] * 2


def test_how_many_go_on_is_known_even_where_not_all_that_ended_are_kept() -> None:
    tls = Interception(Connections(going=1, no_longer_kept=3))  # type: ignore[arg-type]
    assert tls.going() == 1
    with pytest.raises(hilcop.ExhaustedError, match="3 of its connections are no longer kept"):
        tls.ended()
