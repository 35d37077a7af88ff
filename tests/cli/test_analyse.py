# SPDX-License-Identifier: Apache-2.0
"""hilcop analyse: what a person and a program get of a capture, and what its status says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from captures import dns, talk, udp, write_pcapng

DEVICE, API = "192.0.2.10", ("198.18.0.2", 80)
FRAMES = [udp((DEVICE, 50000), ("192.0.2.1", 53), dns("api.example")), udp(("192.0.2.1", 53), (DEVICE, 50000), dns("api.example", API[0]))]
FRAMES += talk((DEVICE, 40000), API, b"GET /?key=c4n4ryWifi5521 HTTP/1.1\r\nHost: api.example\r\n\r\n")


def analyse(*words: str | Path) -> subprocess.CompletedProcess[str]:
    program = [os.environ["HILCOP_PROGRAM"], "analyse", *map(str, words)]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)


def canaries(folder: Path, text: str) -> Path:
    (folder / "canaries.json").write_text(text)
    return folder / "canaries.json"


def test_servers_are_shown(tmp_path: Path) -> None:
    done = analyse(write_pcapng(tmp_path / "a.pcapng", FRAMES))
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = [line for line in done.stdout.splitlines() if "api.example" in line]
    assert row.split()[:4] == ["api.example", "dns", "80/tcp", "http"]
    assert "Canaries" not in done.stdout


def test_a_canary_is_shown_with_its_frame_and_the_status_says_so(tmp_path: Path) -> None:
    file = write_pcapng(tmp_path / "a.pcapng", FRAMES)
    words = ["--canaries", canaries(tmp_path, '{"wifi key": "c4n4ryWifi5521", "serial": "SN-0000-4711"}')]
    done = analyse(file, *words)
    assert done.returncode == 1
    (row,) = [line for line in done.stdout.splitlines() if "wifi key" in line]
    assert row.split() == ["wifi", "key", "raw", "frame", f"{DEVICE}:40000", "198.18.0.2:80", "6"]
    assert "c4n4ryWifi5521" not in done.stdout
    report = json.loads(analyse(file, *words, "--json").stdout)
    assert [one["canary"] for one in report["canaries"]] == ["wifi key"]
    assert report["destinations"][0]["name"] == "api.example"


@pytest.mark.parametrize(("dropped", "status", "says"), [(0, 0, "none found of 1"), (2, 3, "not complete: 2 packets were lost")])
def test_an_absence_is_told_and_whether_it_proves_anything(tmp_path: Path, dropped: int, status: int, says: str) -> None:
    file = write_pcapng(tmp_path / "a.pcapng", FRAMES, dropped=dropped)
    done = analyse(file, "--canaries", canaries(tmp_path, '{"serial": "SN-0000-4711"}'))
    assert done.returncode == status, done.stdout
    assert says in done.stdout


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"a": 12345678}', '{"short": "1234567"}'])
def test_canaries_that_cannot_be_searched_for_are_refused(tmp_path: Path, text: str) -> None:
    done = analyse(write_pcapng(tmp_path / "a.pcapng", FRAMES), "--canaries", canaries(tmp_path, text))
    assert done.returncode == 2
    assert "canar" in done.stderr


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert "none.pcapng" in analyse(tmp_path / "none.pcapng").stderr
    file = write_pcapng(tmp_path / "a.pcapng", FRAMES)
    assert "none.json" in analyse(file, "--canaries", tmp_path / "none.json").stderr
