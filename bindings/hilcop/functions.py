# SPDX-License-Identifier: Apache-2.0
"""What a board file declares under `functions:`, with errors that name that file."""

from __future__ import annotations

from collections.abc import Mapping

from hilcop.errors import ConfigError, make


class Functions(dict[str, str]):
    """Commands, patterns and names by function. A name that is not declared raises ConfigError with the board file to mend."""

    def __init__(self, dut: str, board_file: str, declared: Mapping[str, str]) -> None:
        super().__init__(declared)
        self._dut = dut
        self._board_file = board_file

    def __missing__(self, name: str) -> str:
        there = f" (it has: {', '.join(sorted(self))})" if self else ""
        raise self._error(f"its board declares no function '{name}'{there}", f"add `{name}:` to `functions:` in {self._board_file}")

    def fill(self, name: str, values: Mapping[str, object]) -> str:
        """The function's text with {value} replaced and {{ }} made single; without values the text as it stands."""
        text = self[name]
        if not values:
            return text
        try:
            return text.format_map(values)
        except KeyError as missing:
            given = ", ".join(values)
            raise self._error(
                f"function '{name}' wants a value for {{{missing.args[0]}}}, and was given: {given}",
                f"give it, or mend '{text}' in {self._board_file}",
            ) from None
        except (IndexError, ValueError, AttributeError, TypeError) as wrong:
            raise self._error(
                f"function '{name}' cannot be filled in: {wrong}",
                f"double the braces that stand for themselves in {self._board_file}: '{text}'",
            ) from None

    def _error(self, cause: str, remedy: str) -> ConfigError:
        error = make("Config", f"dut '{self._dut}'", cause, remedy, f"dut '{self._dut}': {cause}; {remedy}")
        assert isinstance(error, ConfigError)
        return error
