# SPDX-License-Identifier: Apache-2.0
"""A bench with one unit of the reference device that a test has made."""

from __future__ import annotations

from pathlib import Path

from machine import IMAGE

BENCH = """
bench: {name}
instruments:
  machine:
    driver: qemu-machine
    board: reference
    dtb: {unit}/control.dtb
    disks: [{{ name: main, file: {unit}/main.raw }}, {{ name: fuses, file: {unit}/fuses.raw, read_only: true }}]
duts:
  unit:
    board: reference
    power: {{ instrument: machine, channel: power }}
    consoles: {{ main: {{ instrument: machine, channel: console }} }}
    buttons: {{ reset: {{ instrument: machine, channel: button }} }}
    unit_record: {unit}/record.json
    network:
      instrument: machine
      channel: network
      ca: {{ certificate: {image}/lab-ca/ca.crt, key: {image}/lab-ca/ca.key }}
"""


def write_bench(folder: Path, unit: Path, name: str = "test") -> Path:
    file = folder / "bench.yaml"
    file.write_text(BENCH.format(unit=unit, name=name, image=IMAGE))
    return file
