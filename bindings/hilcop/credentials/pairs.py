# SPDX-License-Identifier: Apache-2.0
"""Users and passwords to be tried, from lists that are files.

known_list("mirai")                       # the 60 pairs of Mirai; "generic": what it lacks and many devices have
load_pairs("vendor.csv")                  # .tsv, .csv, or lines of user:password
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hilcop.errors import Error, make

LISTS = Path(__file__).parent / "lists"
MOST_BYTES = 16 << 20  # of a list
MOST_LENGTH = 1024  # of a user or a password


@dataclass(frozen=True)
class Pair:
    """Its password is not shown by repr(), for that ends in logs."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class PairList:
    """`name`, `sha256` and a pair's index (from 0) say which it is where its password must not stand."""

    name: str
    sha256: str  # of the file's bytes
    pairs: tuple[Pair, ...] = field(repr=False)
    version: str = ""
    source: str = ""

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)


def known_list(name: str) -> PairList:
    """One that comes with hilcop: mirai, generic. ConfigError: there is none of that name."""
    there = sorted(file.stem for file in LISTS.glob("*.tsv"))
    if name not in there:
        raise _error("Config", f"list '{name}'", "is none of hilcop's", f"choose one of: {', '.join(there)}; or load_pairs() of a file")
    return load_pairs(LISTS / f"{name}.tsv")


def load_pairs(file: Path | str, *, name: str = "") -> PairList:
    """A list from a file in UTF-8, by its suffix. `.tsv`: user, a tab, password. `.csv`: columns by the first row's names, of which one is
    user, username or login, and one pass or password; "<BLANK>" is empty. Else: user:password, the user without a colon. Empty lines, and
    lines that begin with "#" (not in .csv), are none; "# name:", "# version:" and "# source:" before the first pair say what it is.
    NotFoundError: it cannot be read. ConfigError, with the line: it is not that, or has no pair."""
    path = Path(file)
    try:
        with path.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise _error("NotFound", f"list {path}", f"cannot be read: {error.strerror}", "name one that is there") from error
    if len(content) > MOST_BYTES:
        raise _error("Config", f"list {path}", f"is larger than {MOST_BYTES >> 20} MiB", "split it")
    text = _text(path, content)
    said = {} if path.suffix == ".csv" else _said(text)
    rows = _csv_rows(path, text) if path.suffix == ".csv" else _rows(path, text, "\t" if path.suffix == ".tsv" else ":")
    pairs = tuple(_sound(path, line, Pair(user, password)) for line, user, password in rows)
    if not pairs:
        raise _error("Config", f"list {path}", "has no pair: trying nothing proves nothing", "see whether it is the right file")
    digest = hashlib.sha256(content).hexdigest()
    return PairList(name or said.get("name", path.name), digest, pairs, said.get("version", ""), said.get("source", ""))


def pairs_of(pairs: Iterable[tuple[str, str]], *, name: str = "given") -> PairList:
    """A list of pairs that stand in no file; its SHA-256 is that of the .tsv that they would be. ConfigError: there is none, or one of them
    cannot stand on a line."""
    made = tuple(_sound(Path(name), number, Pair(*pair)) for number, pair in enumerate(pairs, 1))
    if not made:
        raise _error("Config", f"list {name}", "has no pair: trying nothing proves nothing", "give at least one")
    lines = "".join(f"{pair.user}\t{pair.password}\n" for pair in made)
    return PairList(name, hashlib.sha256(lines.encode()).hexdigest(), made)


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error("Config", f"{path}:{line}", f"is not UTF-8 (byte {content[error.start]:#04x})", "convert it, as with iconv") from error


def _said(text: str) -> dict[str, str]:
    """What its head says."""
    said: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        key, colon, value = line[1:].partition(":")
        if colon and key.strip() in ("name", "version", "source"):
            said[key.strip()] = value.strip()
    return said


def _rows(path: Path, text: str, between: str) -> Iterator[tuple[int, str, str]]:
    for number, ended in enumerate(text.split("\n"), 1):  # not splitlines(): a password may have what it takes for a line's end
        line = ended.removesuffix("\r")
        if not line or line.startswith("#"):
            continue
        user, found, password = line.partition(between)
        if not found:
            how = "user, a tab, password" if between == "\t" else "user:password"
            raise _error("Config", f"{path}:{number}", f"is not {how}", "write it so; a list with other columns is a .csv")
        yield number, user, password


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        users = [at for at, name in enumerate(names) if name in ("user", "username", "login")]
        passwords = [at for at, name in enumerate(names) if name in ("pass", "password")]
        if len(users) != 1 or len(passwords) != 1:
            raise _error("Config", f"{path}:1", f"names no one column user and password ({', '.join(names)[:200]})", "name them so")
        for row in reader:
            if not row:
                continue
            if len(row) <= max(users[0], passwords[0]):
                raise _error("Config", f"{path}:{reader.line_num}", f"has {len(row)} columns of {len(names)}", "complete it")
            user, password = ("" if value == "<BLANK>" else value for value in (row[users[0]], row[passwords[0]]))
            yield reader.line_num, user, password
    except csv.Error as error:
        raise _error("Config", f"{path}:{reader.line_num}", f"is no CSV ({error})", "see RFC 4180") from error


def _sound(path: Path, line: int, pair: Pair) -> Pair:
    for what, value in (("user", pair.user), ("password", pair.password)):
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
            raise _error("Config", f"{path}:{line}", f"has a control character in its {what}", "no prompt takes one: leave it out")
        if len(value) > MOST_LENGTH:
            raise _error("Config", f"{path}:{line}", f"has a {what} of more than {MOST_LENGTH} characters", "leave it out")
    return pair


def _error(kind: str, object: str, cause: str, remedy: str) -> Error:
    return make(kind, object, cause, remedy, f"{object}: {cause}; {remedy}")
