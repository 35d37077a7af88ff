# SPDX-License-Identifier: Apache-2.0
"""The reference device's log-in, guessed by the bench: a unit with a universal password, one that does not lock, and a sound one."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from conftest import NewDevice, NewUnit
from ht1 import PASSWORD, Device

sys.path.append(str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests/credentials"))
from hilcop.credentials import FormSuccess, HttpFormLogin, LoginProbe, known_list
from rig import tried

MIRAI = len({pair.password for pair in known_list("mirai")})


def guessed(device: Device, **how: Any) -> LoginProbe:
    """It asks for a password alone, and a sound one locks after five wrong ones: the right one in between resets its count."""
    login = HttpFormLogin(FormSuccess(text='"token"'), "/api/login", user_field="", kind="json", port=device.port(), tls=True)
    return tried(login, "mirai", ("", PASSWORD), **{"control_every": 3, **how})


def test_a_sound_unit_refuses_the_whole_list(new_unit: NewUnit, new_device: NewDevice) -> None:
    probe = guessed(new_device(new_unit().owned()))
    assert probe.complete, probe.incomplete
    assert (len(probe.attempts), probe.accepted, probe.lockout) == (MIRAI, (), None)


def test_a_universal_password_is_found(new_unit: NewUnit, new_device: NewDevice) -> None:
    probe = guessed(new_device(new_unit("default-admin").owned()))
    assert probe.complete, probe.incomplete
    assert [known_list("mirai").pairs[attempt.index or 0].password for attempt in probe.accepted] == ["admin"]


def test_a_unit_that_locks_and_one_that_does_not_are_told_apart(new_unit: NewUnit, new_device: NewDevice) -> None:
    begin = time.monotonic()
    sound = guessed(new_device(new_unit().owned()), control_every=0, timeout_s=5)
    assert time.monotonic() - begin < 20
    assert sound.lockout is not None
    assert (sound.lockout.sign, sound.lockout.threshold) == ("said", 5)
    assert sound.lockout.said.startswith("429, Retry-After: ")
    assert not sound.complete
    flawed = guessed(new_device(new_unit("no-lockout").owned()), control_every=0)
    assert flawed.complete, flawed.incomplete
    assert flawed.lockout is None
    assert flawed.rate_per_min > 60, "nothing slows the guessing of it"
