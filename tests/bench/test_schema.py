# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas beside the files: what the program prints, and of one mind with the loader. Judged by a validator that is not ours."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]
SCHEMAS = {"bench": SOURCE / "lab-config/bench.schema.json", "board": SOURCE / "boards/board.schema.json"}

BENCH = "bench: x\ninstruments: {}\nduts: {}\n"
SERIAL = "bench: x\nduts: {}\ninstruments:\n  i: { driver: serial, port: /dev/ttyX, KEY }\n"
INSTRUMENT = "bench: x\nduts: {}\ninstruments:\n  i: { KEY }\n"
POWER = (
    "bench: x\nsupplies: { mains: { stagger_ms: 5 } }\ninstruments: { r: { driver: modbus-relay, host: h } }\n"
    "duts: { d: { board: plain.yaml, power: { instrument: r, channel: 1, KEY } } }\n"
)
DUT = (
    "bench: x\ninstruments: { s: { driver: serial, port: p }, r: { driver: modbus-relay, host: h },"
    " lan: { driver: network-interface, interface: eth7 } }\n"
    "duts: { d: { board: plain.yaml, KEY } }\n"
)
BOARD = "board: b\n"
MACHINE = "board: b\nmachine: { driver: qemu-machine, KEY }\n"

GOOD = [
    BENCH,
    "bench: 2026\ninstruments: {}\nduts: {}\nsupplies:\n",
    *(
        SERIAL.replace("KEY", key)
        for key in ("baud: 9600", "baud: '9600'", "baud: 0x1C200", "baud:", "dtr: on", "dtr: 'off'", "parity: odd")
    ),
    *(
        INSTRUMENT.replace("KEY", key)
        for key in ("driver: modbus-relay, host: 10", "driver: serial, port: true", "driver: serial, port: 1.5")
    ),
    *(
        INSTRUMENT.replace("KEY", key)
        for key in ("board: made.yaml", "board: made.yaml, driver: qemu-machine", "board: made.yaml, driver:")
    ),
    INSTRUMENT.replace("KEY", "board: made.yaml, arguments: [-M, 5], disks: []"),
    MACHINE.replace("KEY", "arguments: [], disks: [{ name: a, file: f }, { name: b, file: f, read_only: true, ignores_flush: true }]"),
    *(POWER.replace("KEY", key) for key in ("supply: mains", "safe_state: off", "safe_state: 'on'", "min_off_ms: 1e2", "min_off_ms: 0.5")),
    *(POWER.replace("KEY", key) for key in ("min_off_ms: '7'", "verify: {}", "verify: { read_back: 'true' }", "verify:", "supply:")),
    *(
        DUT.replace("KEY", key)
        for key in ("serial_number: 42", "consoles: { main: { instrument: s, channel: 0 } }", "reset:", "buttons: {}")
    ),
    DUT.replace("KEY", "inputs: { led: { instrument: r, channel: 3, active_low: true, safe_state: keep } }"),
    DUT.replace("KEY", "network: { instrument: lan, channel: port, capture: { file_mb: 0x10, files: '20', file_s: 0 } }"),
    DUT.replace("KEY", "network: { instrument: lan, channel: port, capture: }"),
    BOARD,
    "board: 7\ndescription: 3.5\nlinux_watchers: 'false'\nmachine:\nshell: {}\nfunctions: { a: 1, b: true, c: text }\n",
    "board: b\nboot_stages: [{ name: 1, pattern: 2, deadline_s: 3 }]\nwatchers: [{ name: w, pattern: p, fatal: true }]\n",
    "board: b\npacing: { chunk_bytes: 1, pause_ms: 10000 }\nmin_off_ms: 600000\n",
    MACHINE.replace("KEY", "arguments: [-M, virt, -m, 256]"),
    MACHINE.replace("KEY", "arguments: [], inputs: [{ channel: led, address: 0x90303fc, bit: 6 }], flash: [a, b]"),
]

BAD = [
    "[]\n",
    "bench: x\nduts: {}\n",
    "bench:\ninstruments: {}\nduts: {}\n",
    "bench: x\ninstruments: []\nduts: {}\n",
    "bench: x\ninstruments: {}\nduts: { d: }\n",
    "bench: x\ninstruments: {}\nduts: { d: {} }\n",
    BENCH + "instrument: {}\n",
    BENCH + "supplies: { mains: {} }\n",
    BENCH + "supplies: { mains: { stagger_ms: -1 } }\n",
    BENCH + "supplies: { mains: { stagger_ms: 600001 } }\n",
    *(
        SERIAL.replace("KEY", key)
        for key in ("baud: fast", "baud: 49", "baud: 1.5", "parity: sometimes", "colour: red", "dtr: maybe", "baud: []")
    ),
    *(
        INSTRUMENT.replace("KEY", key)
        for key in ("", "driver: tcp-console, host: h", "driver: relayboard", "driver:", "port: p", "driver: 5", "board: ''")
    ),
    *(
        INSTRUMENT.replace("KEY", key)
        for key in ("driver: serial, port: [p]", "driver: tcp-console, host: h, port:", "driver: numato-relay, port: p")
    ),
    *(
        INSTRUMENT.replace("KEY", key)
        for key in ("driver: modbus-relay, host: h, port: 70000", "board: made.yaml, colour: red", "driver: tcp-console, board:")
    ),
    "bench: x\nduts: {}\ninstruments: { i: serial }\n",
    "bench: x\nduts: {}\ninstruments: { i: }\n",
    *(
        POWER.replace("KEY", key)
        for key in ("safe_state: up", "min_off_ms: soon", "min_off_ms: -1", "supply: []", "verify: true", "off: 1")
    ),
    *(
        POWER.replace("KEY", key)
        for key in ("verify: { read_back: perhaps }", "verify: { silence: 1 }", "verify: { console_silence_ms: 60001 }")
    ),
    *(
        DUT.replace("KEY", key)
        for key in ("consoles: { main: { instrument: s } }", "consoles: { main: }", "consoles: [main]", "buttons: { a: { channel: 1 } }")
    ),
    *(
        DUT.replace("KEY", f"network: {{ instrument: lan, channel: port, capture: {ring} }}")
        for ring in ("{}", "{ file_mb: 100 }", "{ files: 20 }", "{ file_mb: 100, files: 1 }", "{ file_mb: 0.5, files: 2 }", "5")
    ),
    *(
        DUT.replace("KEY", key)
        for key in ("inputs: { a: { channel: 1 } }", "pwer: {}", "reset: { instrument: r, channel: 1, active_low: low }")
    ),
    "{}\n",
    "board: []\n",
    BOARD + "boot_stages: [{ name: a, pattern: b }]\n",
    BOARD + "boot_stages: [{ name: a, pattern: b, deadline_s: -1 }]\n",
    BOARD + "boot_stages: [a]\n",
    BOARD + "boot_stages: [ ~ ]\n",
    BOARD + "boot_stages: { name: a, pattern: b, deadline_s: 1 }\n",
    BOARD + "linux_watchers: 7\n",
    BOARD + "shell: { pormpt: x }\n",
    BOARD + "functions: { a: [b] }\n",
    BOARD + "functions: { a: }\n",
    BOARD + "pacing: { chunk_bytes: 1 }\n",
    BOARD + "min_off: 5\n",
    "board: b\nmachine: { arguments: [] }\n",
    "board: b\nmachine: { driver: qemu }\n",
    MACHINE.replace("KEY", ""),
    MACHINE.replace("KEY", "arguments: virt"),
    MACHINE.replace("KEY", "arguments: [], board: b"),
    MACHINE.replace("KEY", "arguments: [], disks: [{ name: a }]"),
    MACHINE.replace("KEY", "arguments: [], disks: [{ name: a, file: f, read_only: 2 }]"),
    MACHINE.replace("KEY", "arguments: [], inputs: [{ channel: led, address: far, bit: 6 }]"),
]


def validator(kind: str) -> jsonschema.Draft7Validator:
    schema = json.loads(SCHEMAS[kind].read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def kind_of(text: str) -> str:
    """As `hilcop check` tells them apart."""
    document = yaml.safe_load(text)
    return "board" if isinstance(document, dict) and "board" in document and "duts" not in document else "bench"


def faults(text: str, reader: Any = yaml.SafeLoader) -> list[str]:
    return [f"{list(fault.path)}: {fault.message}" for fault in validator(kind_of(text)).iter_errors(yaml.load(text, reader))]


def check(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "plain.yaml").write_text("board: plain\n")
    (folder / "made.yaml").write_text("board: made\nmachine: { driver: qemu-machine, arguments: [-M, virt] }\n")
    (folder / "it.yaml").write_text(text)
    return subprocess.run([PROGRAM, "check", "it.yaml"], cwd=folder, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_committed_schema_is_what_the_program_prints(kind: str) -> None:
    printed = subprocess.run([PROGRAM, "schema", kind], capture_output=True, text=True, timeout=30, check=True).stdout
    again = f"hilcop schema {kind} > {SCHEMAS[kind].relative_to(SOURCE)}"
    assert SCHEMAS[kind].read_text() == printed, f"the tables have changed: write it again with `{again}`"


def project_files() -> list[Path]:
    return [
        file
        for folder in ("lab-config", "lab-config/examples", "boards", "tests/boards", "tests/fuzz/corpus/config_fuzz")
        for file in (SOURCE / folder).glob("*.yaml")
    ]


@pytest.mark.parametrize("file", project_files(), ids=lambda file: str(file.relative_to(SOURCE)))
def test_every_file_of_the_project_is_valid(file: Path) -> None:
    assert faults(file.read_text()) == []
    assert faults(file.read_text(), yaml.BaseLoader) == [], "as YAML readers that make everything a text see it"


def test_there_are_files_to_judge_and_editors_find_their_schema() -> None:
    assert len(project_files()) >= 7
    for folder, kind in (("lab-config", "bench"), ("boards", "board")):
        for file in (SOURCE / folder).glob("*.yaml"):
            assert f"\n# yaml-language-server: $schema={kind}.schema.json\n" in file.read_text(), file


def test_the_examples_of_the_documents_are_valid() -> None:
    blocks = (SOURCE / "harness/bench/docs/files.md").read_text().split("```yaml\n")[1:]
    assert len(blocks) == 3
    for block in blocks:
        assert faults(block.split("```")[0].replace("  ...\n", "  arguments: []\n")) == []


@pytest.mark.parametrize("text", GOOD)
def test_what_the_loader_takes_the_schema_takes(text: str, tmp_path: Path) -> None:
    done = check(tmp_path, text)
    assert done.returncode == 0, done.stderr
    assert faults(text) == []


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_is_refused_by_both(text: str, tmp_path: Path) -> None:
    done = check(tmp_path, text)
    assert done.returncode == 2, done.stdout
    assert "it.yaml:" in done.stderr
    assert faults(text) != []


def undescribed(schema: Any, path: str) -> list[str]:
    if isinstance(schema, list):
        return [name for value in schema for name in undescribed(value, path)]
    if not isinstance(schema, dict):
        return []
    found = [f"{path}.{name}" for name, value in schema.get("properties", {}).items() if "description" not in value]
    return found + [name for key, value in schema.items() if key != "if" for name in undescribed(value, f"{path}.{key}")]


def test_every_key_that_a_person_may_write_is_described() -> None:
    for file in SCHEMAS.values():
        assert undescribed(json.loads(file.read_text()), file.stem) == []
