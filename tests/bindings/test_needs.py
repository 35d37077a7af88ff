# SPDX-License-Identifier: Apache-2.0
"""What a board file declares and a scenario needs: whatever is missing is named with the file that wants it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import hilcop
import pytest
from hilcop import scenarios


@dataclass
class Given:
    """A DUT as far as a scenario's needs look at it."""

    name: str = "d"
    board_file: str = "boards/b.yaml"
    roles: list[str] = field(default_factory=lambda: ["power", "console"])
    stages: list[str] = field(default_factory=lambda: ["ready"])
    has_shell: bool = False
    has_repl: bool = False
    functions: hilcop.Functions = field(default_factory=lambda: hilcop.Functions("d", "boards/b.yaml", {"read": "get {key}"}))


def lacking(roles: tuple[str, ...], keys: tuple[str, ...], given: Given | None = None) -> str:
    declared = scenarios.Scenario("X", "t", (), roles, keys, {}, lambda _dut, _run: None, "f", 1)
    return declared.lacking(cast(hilcop.Dut, given or Given()))


def test_a_dut_that_has_everything_lacks_nothing() -> None:
    assert not lacking(("power",), ("boot_stages", "functions.read"))
    assert not lacking((), ("shell|repl",), Given(has_repl=True))


def test_what_is_missing_is_named_with_where_to_add_it() -> None:
    text = lacking(("power", "button", "network"), ("shell", "functions.read", "functions.write", "shell|repl"))
    assert "dut 'd' has no button, network on this bench: add it in lab-config" in text
    assert "boards/b.yaml does not declare shell, functions.write, shell or repl: add it there" in text
    assert "functions.read" not in text


@pytest.mark.parametrize("key", ["shel", "functions", "functions.", "shell|", "", "prompt"])
def test_a_key_that_no_board_has_is_refused_where_it_is_declared(key: str) -> None:
    with pytest.raises(ValueError, match="choose of: shell, repl, boot_stages, functions"):
        hilcop.scenario("X-KEYS", title="t", clauses=[], roles=[], timeout_s=1, board_keys=[key])


def test_a_function_is_filled_in_and_as_it_stands_without_values() -> None:
    functions = hilcop.Functions("d", "boards/b.yaml", {"read": "get {key} {{2}}", "listed": r"^[0-9]{8}$"})
    assert functions.fill("read", {"key": "k"}) == "get k {2}"
    assert functions.fill("listed", {}) == r"^[0-9]{8}$"


@pytest.mark.parametrize(
    ("name", "text", "values", "says"),
    [
        ("write", "x", {}, "declares no function 'write' (it has: read); add `write:` to `functions:` in boards/b.yaml"),
        ("read", "get {key}", {"keys": 1}, "wants a value for {key}, and was given: keys"),
        ("read", "get {", {"key": 1}, "double the braces that stand for themselves in boards/b.yaml"),
        ("read", "get {8}", {"key": 1}, "double the braces"),
        ("read", "get {key.none}", {"key": 1}, "cannot be filled in"),
        ("read", "get {key!x}", {"key": 1}, "cannot be filled in"),
    ],
)
def test_what_is_wrong_with_a_function_is_a_config_error_and_no_traceback(
    name: str, text: str, values: dict[str, object], says: str
) -> None:
    functions = hilcop.Functions("d", "boards/b.yaml", {"read": text})
    with pytest.raises(hilcop.ConfigError) as caught:
        functions.fill(name, values)
    assert says in str(caught.value)
    assert "dut 'd'" in str(caught.value)
    assert caught.value.kind == "Config"


def test_a_missing_key_of_functions_is_the_same_error() -> None:
    with pytest.raises(hilcop.ConfigError, match="declares no function 'a'; add"):
        hilcop.Functions("d", "boards/b.yaml", {})["a"]
