# SPDX-License-Identifier: Apache-2.0
"""The table of flaws: names of their own, checks that exist, a guideline that fits, two at least for each that software can break."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from declared import CHECKS, DEVICE, read

FLAWS = DEVICE / "flaws.yaml"
DAEMON = DEVICE / "thermostatd" / "flaws.h"
EACH = {"name": str, "what": str, "checks": list, "guideline": int}
GUIDELINES = set(range(1, 14)) - {2}  # 2 is about the maker, not the device
there = pytest.mark.skipif(not FLAWS.exists(), reason="flaws.yaml is not there yet")


def faults_of(flaws: list[dict[str, Any]]) -> list[str]:
    found = []
    names = [flaw.get("name") for flaw in flaws]
    for flaw in flaws:
        name = str(flaw.get("name"))
        wrong = [key for key, kind in EACH.items() if not isinstance(flaw.get(key), kind) or not flaw[key]]
        found += [f"{name}: {key} is no {EACH[key].__name__}" for key in wrong]
        if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name):
            found.append(f"{name}: a name is words of small letters and digits with '-' between")
        if names.count(name) > 1:
            found.append(f"{name}: stands more than once")
        checks = [str(check) for check in flaw.get("checks") or []]
        found += [f"{name}: no check {check} in the catalogue" for check in checks if check not in CHECKS]
        found += [f"{name}: {check} is a person's, nothing can catch it by itself" for check in checks if CHECKS.get(check) == "M"]
        if not any(check.split("-")[0] == f"G{str(flaw.get('guideline')).zfill(2)}" for check in checks):
            found.append(f"{name}: none of its checks is of guideline {flaw.get('guideline')}")
    return found


def too_few(flaws: list[dict[str, Any]]) -> list[int]:
    return [number for number in sorted(GUIDELINES) if sum(flaw["guideline"] == number for flaw in flaws) < 2]


SOUND = [
    {"name": "default-admin", "what": "the password is admin", "checks": ["G01-DEFCRED-NET"], "guideline": 1},
    {"name": "tls-1.0", "what": "old TLS is taken", "checks": ["G05-TLS-SERVER", "G05-TLS-DOWNGRADE"], "guideline": 5},
]


def test_the_catalogue_is_whole() -> None:
    assert len(CHECKS) == 127
    assert set(CHECKS.values()) == {"A", "S", "M"}


def test_a_sound_table_has_no_fault() -> None:
    assert faults_of(SOUND) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "tls-1.0"}, "stands more than once"),
        ({"name": "Default Admin"}, "a name is words"),
        ({"checks": ["G01-NO-SUCH"]}, "no check G01-NO-SUCH"),
        ({"checks": ["G05-TLS-SERVER"]}, "none of its checks is of guideline 1"),
        ({"checks": []}, "checks is no list"),
        ({"checks": ["G01-DEFCRED-NET", "G10-MON-ATT"]}, "is a person's"),
        ({"guideline": "1"}, "guideline is no int"),
        ({"what": ""}, "what is no str"),
    ],
)
def test_a_planted_fault_is_seen(changed: dict[str, Any], said: str) -> None:
    table = copy.deepcopy(SOUND)
    table[0] |= changed
    assert any(said in fault for fault in faults_of(table))


def test_guidelines_with_too_few_are_seen() -> None:
    assert too_few(SOUND * 2) == sorted(GUIDELINES - {1, 5})
    assert 1 in too_few(SOUND)


@there
def test_the_table_has_no_fault() -> None:
    assert faults_of(read(FLAWS)["flaws"]) == []


@there
def test_the_test_that_shows_a_flaw_is_there() -> None:
    tests = DEVICE.parents[1] / "tests" / "reference"
    known = set()
    for path in [*tests.glob("board/test_*.py"), *tests.glob("device_cloud/test_*.py")]:
        known |= {f"{path.stem}::{name}" for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)}
    for path in tests.glob("thermostatd/*_test.cc"):
        known |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST\((\w+), (\w+)\)", path.read_text(), re.MULTILINE)}
    named = {flaw["name"]: flaw["test"] for flaw in read(FLAWS)["flaws"]}
    assert {name: test for name, test in named.items() if test is not None and test not in known} == {}
    assert sum(test is not None for test in named.values()) >= 38


@there
def test_each_guideline_that_software_can_break_has_two_flaws() -> None:
    assert too_few(read(FLAWS)["flaws"]) == []


@there
@pytest.mark.skipif(not DAEMON.exists(), reason="thermostatd is not there yet")
def test_every_flaw_that_the_daemon_knows_is_in_the_table() -> None:
    known = set(re.findall(r'std::string_view\{"([^"]+)"\}', DAEMON.read_text()))
    assert known
    assert known <= {flaw["name"] for flaw in read(FLAWS)["flaws"]}
