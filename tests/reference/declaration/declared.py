# SPDX-License-Identifier: Apache-2.0
"""The declaration as read, the catalogue that it is held against, and the contract that it must agree with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
DEVICE = Path(os.environ["HILCOP_SOURCE_DIR"]) / "boards" / "reference"


class Once(yaml.SafeLoader):
    """A key that stands twice would silently win over the first."""


def unique(loader: Once, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=deep)
        assert key not in found, f"{key!r} twice: line {key_node.start_mark.line + 1}"
        found[key] = loader.construct_object(value_node, deep=True)
    return found


Once.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, unique)


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Once)


def rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (HERE / name).read_text().splitlines() if not line.startswith("#")]


def texts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its place."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield from texts(held, f"{path}/{key}")
    elif isinstance(value, list):
        for number, held in enumerate(value):
            yield from texts(held, f"{path}/{number}")
    else:
        yield path, value


ICS = read(DEVICE / "declaration" / "ics.yaml")["provisions"]
IXIT = read(DEVICE / "declaration" / "ixit.yaml")
DESIGN = (DEVICE / "design.md").read_text(encoding="utf-8")
TABLES: dict[str, list[dict[str, Any]]] = IXIT["tables"]
PROVISIONS = {row[0]: {"v2": row[1], "v3": row[2], "tables": row[3].split()} for row in rows("provisions.tsv")}
CHECKS = {row[0]: row[1] for row in rows("checks.tsv")}
REFERENCE = re.compile(r"\b([A-Z][A-Za-z]+)-(\d+)\b")
