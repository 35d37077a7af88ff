# SPDX-License-Identifier: Apache-2.0
"""Lists of users and passwords: those of hilcop, and those of a file however wrong it is."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import hilcop
import pytest
from hilcop.credentials import Pair, known_list, load_pairs, pairs_of
from hilcop.credentials.pairs import LISTS


def test_mirai_has_its_sixty_distinct_pairs() -> None:
    mirai = known_list("mirai")
    assert (len(mirai), len(set(mirai.pairs))) == (60, 60)
    assert mirai.pairs[0] == Pair("root", "xc3511")
    assert Pair("root", "") in mirai.pairs
    assert Pair("root", "zlxx.") in mirai.pairs
    assert Pair("admin", "7ujMko0admin") in mirai.pairs
    assert (mirai.name, mirai.version) == ("mirai", "2016-09")
    assert "scanner.c" in mirai.source
    assert mirai.sha256 == hashlib.sha256((LISTS / "mirai.tsv").read_bytes()).hexdigest()


def test_the_generic_list_has_what_mirai_lacks() -> None:
    generic = known_list("generic")
    assert len(generic) == len(set(generic.pairs)) == 50
    assert not set(generic.pairs) & set(known_list("mirai").pairs)
    with pytest.raises(hilcop.ConfigError, match="choose one of: generic, mirai"):
        known_list("none")


@pytest.mark.parametrize(
    ("name", "content", "pairs"),
    [
        ("a.tsv", "# a comment\nroot\ta b\t\xe9\n\n\tx\nadmin\t\r\n", None),
        ("a.tsv", "root\ta b\xe9\n\n\tx\nadmin\t\r\n", [("root", "a b\xe9"), ("", "x"), ("admin", "")]),
        ("a.txt", "root:a:b\n:x\n# no\nadmin:", [("root", "a:b"), ("", "x"), ("admin", "")]),
        ("a.txt", "\ufeffroot:1\n", [("root", "1")]),
        ("a.csv", 'Vendor,Username,Password,Comments\nA,root,"a,""b",\nB,<BLANK>,x,y\n', [("root", 'a,"b'), ("", "x")]),
    ],
)
def test_a_list_is_what_its_suffix_says(tmp_path: Path, name: str, content: str, pairs: list[tuple[str, str]] | None) -> None:
    (tmp_path / name).write_bytes(content.encode())
    if pairs is None:
        with pytest.raises(hilcop.ConfigError, match=r"a\.tsv:2: has a control character in its password"):
            load_pairs(tmp_path / name)
        return
    made = load_pairs(tmp_path / name)
    assert [(pair.user, pair.password) for pair in made] == pairs
    assert made.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert made.name == name


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.tsv", b"root\tx\nroot x\n", r"a\.tsv:2: is not user, a tab, password"),
        ("a.txt", b"root\n", r"a\.txt:1: is not user:password"),
        ("a.txt", b"a:b\na:\xff\n", r"a\.txt:2: is not UTF-8 \(byte 0xff\)"),
        ("a.txt", b"a:b\0\n", r"a\.txt:1: has a control character"),
        ("a.txt", b"a:" + b"b" * 2000, r"a\.txt:1: has a password of more than"),
        ("a.txt", b"# nothing\n", "has no pair"),
        ("a.csv", b"a,b\nroot,x\n", r"a\.csv:1: names no one column user and password"),
        ("a.csv", b"user,pass\nroot\n", r"a\.csv:2: has 1 columns of 2"),
        ("a.csv", b'user,pass\nroot,"x\n', r"a\.csv:2: is no CSV"),
        ("a.csv", b"", "names no one column"),
    ],
)
def test_a_list_that_is_wrong_is_told_with_its_line(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(hilcop.ConfigError, match=says):
        load_pairs(tmp_path / name)


def test_one_that_is_not_there_or_too_large_is_told(tmp_path: Path) -> None:
    with pytest.raises(hilcop.NotFoundError, match="cannot be read"):
        load_pairs(tmp_path / "none.tsv")
    with pytest.raises(hilcop.NotFoundError, match="cannot be read"):
        load_pairs(tmp_path)
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(hilcop.ConfigError, match="larger than 16 MiB"):
        load_pairs(tmp_path / "a.txt")


def test_any_bytes_are_a_list_or_an_error(tmp_path: Path) -> None:
    chance = random.Random(6)
    for number in range(600):
        file = tmp_path / f"{number}{chance.choice(['.tsv', '.csv', '.txt'])}"
        parts = [b"user,pass\n", b"root", b"\t", b":", b",", b'"', b"\n", b"#", b"\r", bytes([chance.randrange(256)])]
        file.write_bytes(b"".join(chance.choices(parts, k=chance.randrange(40))))
        try:
            assert len(load_pairs(file)) > 0
        except hilcop.ConfigError:
            continue


def test_given_pairs_have_the_name_of_a_file_that_has_them(tmp_path: Path) -> None:
    made = pairs_of([("root", ""), ("a", "b")])
    (tmp_path / "a.tsv").write_text("root\t\na\tb\n")
    assert made.sha256 == load_pairs(tmp_path / "a.tsv").sha256
    assert "b'" not in repr(made)
    assert "secret" not in repr(Pair("root", "secret"))
    for wrong in ([], [("a\n", "b")]):
        with pytest.raises(hilcop.ConfigError):
            pairs_of(wrong)
