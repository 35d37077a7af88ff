# SPDX-License-Identifier: Apache-2.0
"""A capture in a ring of files: read as the one that it is, and what is missing of it is said."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import hilcop
import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from captures import CapturingPort, talk, write_pcapng

DEVICE, API = ("192.0.2.10", 40000), ("198.18.0.2", 80)
SECRET = "c4n4ryWifi5521"
POST = b"POST /v1/key HTTP/1.1\r\nHost: api.example\r\nContent-Length: 21\r\n\r\nkey=" + SECRET.encode() + b"&x="
GOES_ON = 'hilcop ring {"goes_on":true}'


def write_ring(folder: Path, frames: list[bytes], borders: list[int], *, last: str = "", dropped: int | None = 0) -> list[Path]:
    """Borders: before which frame another file begins."""
    files = []
    for number, (begin, end) in enumerate(zip([0, *borders], [*borders, len(frames)], strict=True), 1):
        said = json.dumps({"capture": "one", "file": number, "packets_before": begin})
        file, goes_on = folder / f"a_{number:05}_20261129104500.pcapng", number <= len(borders)
        comments = {"head": f"network of dut unit\nhilcop ring {said}", "end": GOES_ON if goes_on else last}
        files.append(write_pcapng(file, frames[begin:end], dropped=0 if goes_on else dropped, **comments))
    return files


@pytest.fixture
def frames() -> list[bytes]:
    return talk(DEVICE, API, POST, answer=b"HTTP/1.1 204 No Content\r\n\r\n", size=10)


def within(frames: list[bytes]) -> int:
    """The frame before which the secret is cut in two."""
    text = [frame[54:] for frame in frames]
    at, cut = 0, b"".join(text).index(SECRET.encode())
    for number, part in enumerate(text):
        if at > cut:
            return number
        at += len(part)
    raise AssertionError


def test_a_stream_across_a_border_is_one(tmp_path: Path, frames: list[bytes]) -> None:
    files = write_ring(tmp_path, frames, [2, within(frames)])
    report = hilcop.read_capture(files)
    assert report.complete, report.limits
    assert (len(report.flows), report.frames, report.tcp["connections"], report.tcp["gaps"]) == (1, len(frames), 1, 0)
    assert [one["method"] for one in report.observations["http"] if one["request"]] == ["POST"]
    assert [(one.name, one.first_frame, one.frames) for one in report.files] == [
        (files[0].name, 1, 2),
        (files[1].name, 3, within(frames) - 2),
        (files[2].name, within(frames) + 1, len(frames) - within(frames)),
    ]
    assert (report.interfaces[0].received, report.interfaces[0].dropped) == (len(frames), 0)
    found = hilcop.find_canaries([str(file) for file in files], {"wifi key": SECRET})
    assert found.complete, found.limits
    (one,) = found.findings
    sent = b""
    for place in one.places:
        (file,) = [at for at in found.files if at.first_frame <= place["frame"] < at.first_frame + at.frames]
        sent += (tmp_path / file.name).read_bytes()[place["file_offset"] :][: place["bytes"]]
    assert one.frames[0] <= within(frames) < one.frames[-1], "it stands on both sides of a border"
    assert sent == SECRET.encode(), "offsets are those of the file that has the frame"


def test_part_of_a_ring_is_never_complete(tmp_path: Path, frames: list[bytes]) -> None:
    files = write_ring(tmp_path, frames, [4, 8])
    limits = {
        (0, 1): "the capture goes on in files that are none of these",
        (1, 2): f"4 packets were recorded before {files[1].name} and are in none of these files",
        (0, 2): f"4 packets were recorded before {files[2].name} and are in none of these files",
    }
    for which, limit in limits.items():
        report = hilcop.read_capture([files[one] for one in which])
        assert not report.complete
        assert limit in report.limits
        assert limit in hilcop.find_canaries([files[one] for one in which], {"wifi key": "not there at all"}).limits
    assert limits[0, 1] in hilcop.read_capture(files[0]).limits, "one file by its name"
    for wrong in ([files[1], files[0], files[2]], [files[0], files[0], files[1], files[2]]):
        assert any("is no later file of the same capture" in limit for limit in hilcop.read_capture(wrong).limits)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, frames: list[bytes]) -> None:
    files = write_ring(tmp_path, frames, [4])
    with pytest.raises(hilcop.NotFoundError, match=r"none\.pcapng"):
        hilcop.read_capture([*files, tmp_path / "none.pcapng"])
    with pytest.raises(hilcop.ConfigError, match="0 files are named as one"):
        hilcop.read_capture([])


def test_a_bench_reads_its_ring_and_says_what_is_gone(tmp_path: Path, frames: list[bytes]) -> None:
    files = [str(file) for file in write_ring(tmp_path, frames, [4, 8], dropped=None)]
    whole = CapturingPort("/run/network/a.pcapng", packets=len(frames), packets_removed=0, files=files).network().read()
    assert whole.complete, whole.limits
    assert whole.frames == len(frames)
    gone = (
        CapturingPort("/run/network/a.pcapng", packets=len(frames), packets_removed=4, files=files[1:])
        .network()
        .find_canaries({"wifi key": SECRET})
    )
    assert not gone.complete
    assert f"4 packets were recorded before {Path(files[1]).name} and are in none of these files" in gone.limits
    assert not [limit for limit in gone.limits if "not in the file" in limit], "all that is said to be there is"


def test_a_file_that_goes_while_a_bench_reads_is_said(tmp_path: Path, frames: list[bytes]) -> None:
    files = write_ring(tmp_path, frames, [4, 8], dropped=None)
    files[0].unlink()
    port = CapturingPort("/run/network/a.pcapng", packets=len(frames), packets_removed=0, files=[str(file) for file in files])
    report = port.network().read()
    assert not report.complete
    assert f"the file is damaged: {files[0].name}: was removed before it was read" in report.limits


def test_a_capture_asks_for_its_ring_and_raises_what_it_lost(tmp_path: Path) -> None:
    failure = {"kind": "Exhausted", "object": "capture a", "cause": "cannot be written", "remedy": "free disk space", "context": []}
    port = CapturingPort("/run/network/a.pcapng", packets=1, files=[])
    with port.network().capture(tmp_path / "a.pcapng", file_bytes=1_000_000, files=3, timeout_s=9) as figures:
        pass
    assert figures["packets"] == 1
    assert port.asked[0][1]["ring"] == {"file_bytes": 1_000_000, "files": 3, "file_s": 0}
    port = CapturingPort("/run/network/a.pcapng", failure=failure)
    with pytest.raises(hilcop.Error, match="capture a: cannot be written; free disk space"), port.network().capture(tmp_path / "a.pcapng"):
        pass
    assert port.asked[0][1]["ring"] is None
    with pytest.raises(ZeroDivisionError), port.network().capture(tmp_path / "a.pcapng"):
        _ = 1 / 0
