# SPDX-License-Identifier: Apache-2.0
"""A folder includes only what stands below it, and only the folder that owns a library includes its headers."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# folder -> folders that it may include, beside itself. No entry: the folder may not exist.
BELOW = {
    "harness/base": [],
    "harness/io": ["base"],
    "harness/console": ["base", "io"],
    "harness/capture": ["base", "io"],
    "harness/network": ["base", "io", "capture"],
    "harness/evidence": ["base", "io"],
    "harness/keeper": ["base", "io"],
    "harness/compliance": ["base"],
    "harness/report": ["base", "io", "evidence", "compliance"],
    "harness/bench": ["base", "io", "console", "capture", "network", "evidence", "keeper"],
    "harness/flash": ["base", "io", "console", "evidence", "keeper", "bench"],
    "harness/selftest": ["base", "io", "console", "evidence", "keeper", "bench"],
    "harness/run": ["base", "io", "console", "evidence", "keeper", "compliance", "report", "bench"],
    "fixtures": ["base", "io", "keeper"],
    "bindings": ["base", "io", "console", "capture", "network", "evidence", "keeper", "compliance", "bench", "flash", "fixtures"],
    "harness/cli": [
        "base",
        "io",
        "console",
        "capture",
        "network",
        "evidence",
        "keeper",
        "compliance",
        "report",
        "bench",
        "flash",
        "selftest",
        "run",
        "fixtures",
    ],
}

# The parts of a layer that has parts, and what each may include of the others.
PARTS = {
    "harness/network": {
        "port": [],
        "filter": [],
        "wire": ["port"],
        "dhcp": [],
        "services": [],
        "scan": ["port"],
        "intercept": [],
        "analysis": [],
        "process": ["port", "filter", "wire", "dhcp", "services", "scan", "intercept"],
    },
}

# A library's headers stay in the folders that own it: nothing else learns of them.
OWNERS = {
    r"libserialport\.h": ["harness/io"],
    r"libusb\.h": ["harness/io"],
    r"boost/process": ["harness/io"],
    r"hs/|hs\.h": ["harness/console", "harness/network"],
    r"pcre2\.h": ["harness/console"],
    r"yaml-cpp/": ["harness/bench"],
    r"openssl/": ["harness/evidence", "harness/console", "harness/network"],
    r"netlink/": ["harness/io", "harness/network"],
    r"nftables/": ["harness/network"],
    r"CLI/": ["harness/cli"],
    r"pybind11/": ["bindings"],
    r"modbus": ["fixtures"],
    r"curl/": ["harness/io"],
    r"net-snmp/": ["fixtures"],
    r"gpiod\.h": ["fixtures"],
    r"zlib\.h|lzma\.h": ["harness/io", "harness/network"],
    r"nbdkit-plugin\.h": ["fixtures"],
}


def home(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2]) if parts[0] == "harness" else parts[0]


def sources() -> list[Path]:
    return sorted(path for top in ("harness", "fixtures", "bindings") for path in (ROOT / top).rglob("*") if path.suffix in (".h", ".cc"))


def included(path: Path, form: str) -> list[str]:
    return re.findall(rf"^\s*#\s*include\s*{form}", path.read_text(encoding="utf-8"), re.MULTILINE)


def layer_of(include: str, file: Path) -> str | None:
    """The folder a quoted include names: "console/matcher.h" -> console, "fixtures/catalog.h" -> fixtures."""
    first = include.split("/")[0]
    if (ROOT / "harness" / first).is_dir() and "/" in include:
        return first
    if first in ("fixtures", "bindings", "tests"):
        return first
    assert (file.parent / include).exists(), f"{file.relative_to(ROOT)}: include of {include}: write it from its layer"
    return None


@pytest.mark.parametrize("file", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_includes_only_lower_layers_and_its_own_libraries(file: Path) -> None:
    folder = home(file)
    allowed = {*BELOW[folder], folder.split("/")[-1]}
    for include in included(file, '"([^"]+)"'):
        layer = layer_of(include, file)
        assert layer is None or layer in allowed, f"{file.relative_to(ROOT)} includes {include}: {folder} may use {sorted(allowed)}"
    for include in included(file, "<([^>]+)>"):
        for library, owners in OWNERS.items():
            if re.match(library, include):
                assert folder in owners, f"{file.relative_to(ROOT)} includes <{include}>: only {owners} may"


@pytest.mark.parametrize("layer", PARTS)
def test_a_part_includes_only_parts_below_it(layer: str) -> None:
    top = layer.removeprefix("harness/")
    for file in sources():
        if home(file) == layer:
            part = file.relative_to(ROOT / layer).parts[0]
            for other in included(file, f'"{top}/([^/"]+)/'):
                assert other in [part, *PARTS[layer][part]], f"{file.relative_to(ROOT)} includes {other} of {layer}"


# Parts with a target of their own that several fixtures may use.
SHARED_PARTS = {"catalog.h", "power_loss_disk"}


def test_no_fixture_includes_another() -> None:
    for file in sources():
        if home(file) != "fixtures":
            continue
        for include in included(file, '"(fixtures/[^"]+)"'):
            other = Path(include).parts[1]
            own = file.relative_to(ROOT / "fixtures").parts[0]
            shared = other in SHARED_PARTS or own.startswith(other.removesuffix(".h")) or other.startswith(own.split("_driver")[0])
            assert shared, f"{file.relative_to(ROOT)} includes {include}"


def test_the_lint_sees_files() -> None:
    assert len(sources()) > 20
