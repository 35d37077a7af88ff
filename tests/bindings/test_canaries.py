# SPDX-License-Identifier: Apache-2.0
"""find_canaries: what is found and where, and when nothing found proves nothing."""

from __future__ import annotations

import base64
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hilcop
import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from captures import talk, udp, write_pcapng

SECRET = "c4n4ryWifi5521"
DEVICE, CLOUD = ("192.0.2.10", 40000), ("198.51.100.7", 80)
HARMLESS = talk(DEVICE, CLOUD, b"GET /time HTTP/1.1\r\nHost: cloud\r\n\r\n", answer=b"HTTP/1.1 204 No Content\r\n\r\n")


def searched(tmp_path: Path, frames: list[bytes], **how: Any) -> hilcop.CanarySearch:
    return hilcop.find_canaries(write_pcapng(tmp_path / "a.pcapng", frames, **how), {"wifi key": SECRET, "serial": b"SN-0000-4711"})


def bytes_of(file: Path, finding: Any) -> bytes:
    whole = file.read_bytes()
    return b"".join(whole[place["file_offset"] :][: place["bytes"]] for place in finding.places)


def test_one_that_is_sent_as_it_is_is_found_where_tshark_finds_it(tmp_path: Path) -> None:
    found = searched(tmp_path, [*HARMLESS, udp(DEVICE, ("198.51.100.9", 5000), f"key={SECRET};".encode()), udp(DEVICE, CLOUD, b"other")])
    (one,) = found.findings
    assert (one.canary, one.form, one.within, one.flow) == ("wifi key", "raw", ("frame",), 1)
    assert (one.sender, one.receiver) == ("192.0.2.10:40000", "198.51.100.9:5000")
    assert one.at.startswith("2024-11-19T07:06:40.0")
    assert bytes_of(tmp_path / "a.pcapng", one) == SECRET.encode()
    words = ["tshark", "-r", str(tmp_path / "a.pcapng"), "-Y", f'frame contains "{SECRET}"', "-T", "fields", "-e", "frame.number"]
    theirs = subprocess.run(words, check=True, timeout=60, capture_output=True, text=True).stdout.split()
    assert [str(number) for number in one.frames] == theirs
    assert found.complete, found.limits
    assert (found.canaries, found.frames, found.not_kept) == (("wifi key", "serial"), len(HARMLESS) + 2, 0)
    assert found.of("wifi key") == found.findings
    assert found.of("serial") == ()
    with pytest.raises(ValueError, match="canary 'token' was not searched for; these were: wifi key, serial"):
        found.of("token")


@pytest.mark.parametrize("size", [1, 5, 1400])
def test_one_in_a_packed_body_is_found(tmp_path: Path, size: int) -> None:
    body = gzip.compress(b'{"wifi": "' + SECRET.encode() + b'"}')
    head = f"POST /v1/log HTTP/1.1\r\nHost: cloud\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert SECRET.encode() not in body, "the control: it is packed"
    found = searched(tmp_path, talk(DEVICE, CLOUD, head + body, size=size))
    (one,) = found.findings
    assert (one.canary, one.form, one.within) == ("wifi key", "raw", ("stream", "gzip"))
    assert bytes_of(tmp_path / "a.pcapng", one).startswith(b"\x1f\x8b")


@pytest.mark.parametrize("size", [1, 4, len(SECRET) + 3])
def test_one_that_is_cut_by_segments_is_found_with_all_its_frames(tmp_path: Path, size: int) -> None:
    found = searched(tmp_path, talk(DEVICE, CLOUD, f"before:{SECRET}:after".encode(), size=size))
    (one,) = found.findings
    assert one.within == ("stream",)
    assert bytes_of(tmp_path / "a.pcapng", one) == SECRET.encode()
    assert len(one.frames) == len(one.places) > 1
    assert list(one.frames) == sorted(one.frames)


def test_forms_that_a_device_may_give_it(tmp_path: Path) -> None:
    raw = SECRET.encode()
    forms = {
        "base64": base64.b64encode(b"u:" + raw),
        "hex": raw.hex().encode(),
        "reversed": raw[::-1],
        "utf-16le": SECRET.encode("utf-16le"),
    }
    found = searched(tmp_path, [udp(DEVICE, CLOUD, form) for form in forms.values()])
    assert [one.form for one in found.findings] == list(forms)
    assert found.complete, found.limits


def test_an_absence_in_a_whole_capture_is_complete(tmp_path: Path) -> None:
    found = searched(tmp_path, HARMLESS)
    assert (found.findings, found.limits, found.complete) == ((), (), True)


@pytest.mark.parametrize(("dropped", "says"), [(3, "3 packets were lost by the capture on 'wire'"), (None, "'wire' is not known")])
def test_an_absence_in_a_capture_that_lost_packets_is_not(tmp_path: Path, dropped: int | None, says: str) -> None:
    found = searched(tmp_path, HARMLESS, dropped=dropped)
    assert (found.findings, found.complete) == ((), False)
    assert any(says in limit for limit in found.limits), found.limits


def test_an_absence_in_a_torn_file_is_not_complete(tmp_path: Path) -> None:
    whole = write_pcapng(tmp_path / "whole.pcapng", HARMLESS).read_bytes()
    torn = tmp_path / "torn.pcapng"
    for size in range(len(whole) - 1, 100, -37):
        torn.write_bytes(whole[:size])
        found = hilcop.find_canaries(torn, {"wifi key": SECRET})
        assert not found.complete, size
    assert any("damaged" in limit for limit in found.limits), found.limits


def test_an_absence_over_a_gap_or_in_what_is_not_read_is_not_complete(tmp_path: Path) -> None:
    assert any("gaps of TCP streams" in limit for limit in searched(tmp_path, [*HARMLESS[:3], *HARMLESS[4:]]).limits)
    upgraded = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    masked = searched(tmp_path, talk(DEVICE, CLOUD, b"GET / HTTP/1.1\r\nHost: c\r\nUpgrade: websocket\r\n\r\n", answer=upgraded))
    assert not masked.complete
    assert "WebSocket" in masked.limits[0]


def test_a_capture_of_text2pcap_is_read_and_has_not_counted_its_losses(tmp_path: Path) -> None:
    dump = " ".join(f"{byte:02x}" for byte in f"key={SECRET}".encode())
    (tmp_path / "dump").write_text(f"0000 {dump}\n")
    words = ["text2pcap", "-q", "-u", "4000,5000", str(tmp_path / "dump"), str(tmp_path / "b.pcapng")]
    subprocess.run(words, check=True, timeout=60, capture_output=True)
    found = hilcop.find_canaries(str(tmp_path / "b.pcapng"), {"wifi key": SECRET})
    assert [(one.canary, one.frames) for one in found.findings] == [("wifi key", (1,))]
    assert not found.complete


@pytest.mark.parametrize(
    ("canaries", "says"),
    [
        ({"short": "1234567"}, "canary 'short': has 7 bytes; give it 8 to 1024"),
        ({"long": b"x" * 1025}, "canary 'long': has 1025 bytes"),
        ({"one": SECRET, "two": SECRET}, "is there twice"),
        ({"zeros": bytes(9)}, "nothing but zeros"),
        ({"": SECRET}, "1 to 64 characters of printable ASCII"),
        ({"schlüssel": SECRET}, "1 to 64 characters of printable ASCII"),
        ({}, "there is none to search for"),
    ],
)
def test_canaries_that_prove_nothing_are_refused(tmp_path: Path, canaries: Mapping[str, str | bytes], says: str) -> None:
    file = write_pcapng(tmp_path / "a.pcapng", HARMLESS)
    with pytest.raises(hilcop.ConfigError) as refused:
        hilcop.find_canaries(file, canaries)
    assert says in str(refused.value)


def test_one_that_is_no_text_and_no_bytes_is_refused(tmp_path: Path) -> None:
    wrong: Any = {"pin": 12345678}
    with pytest.raises(TypeError, match="canary 'pin' is of type int: give it as str or bytes"):
        hilcop.find_canaries(write_pcapng(tmp_path / "a.pcapng", HARMLESS), wrong)


def test_text_is_searched_for_as_utf8(tmp_path: Path) -> None:
    file = write_pcapng(tmp_path / "a.pcapng", [udp(DEVICE, CLOUD, "k=schlüssel-4711".encode())])
    assert hilcop.find_canaries(file, {"key": "schlüssel-4711"}).of("key")


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(hilcop.NotFoundError, match=r"none\.pcapng"):
        hilcop.find_canaries(tmp_path / "none.pcapng", {"wifi key": SECRET})
    (tmp_path / "picture").write_bytes(b"GIF89a, and a good many bytes more")
    with pytest.raises(hilcop.ProtocolError, match="picture: is neither a pcapng nor a pcap file"):
        hilcop.find_canaries(tmp_path / "picture", {"wifi key": SECRET})
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path / "pipe", tmp_path):
        with pytest.raises(hilcop.ConfigError, match="is no regular file"):
            hilcop.find_canaries(other, {"wifi key": SECRET})


def test_a_search_has_a_time_limit(tmp_path: Path) -> None:
    file = write_pcapng(tmp_path / "a.pcapng", HARMLESS)
    with pytest.raises(hilcop.TimeoutError, match=r"a\.pcapng: was not read to its end in time: 0 frames"):
        hilcop.find_canaries(file, {"wifi key": SECRET}, timeout_s=0)
    with pytest.raises(ValueError, match="timeout_s"):
        hilcop.find_canaries(file, {"wifi key": SECRET}, timeout_s=-1)


def test_what_the_handler_of_a_signal_raises_comes_out_of_a_search(tmp_path: Path) -> None:
    def ends(_number: int, _frame: object) -> None:
        raise InterruptedError

    def again_and_again(file: Path) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        while True:
            hilcop.find_canaries(file, {"wifi key": SECRET})

    file = write_pcapng(tmp_path / "a.pcapng", [udp(DEVICE, CLOUD, bytes(1400))] * 20_000)
    before = signal.signal(signal.SIGALRM, ends)
    try:
        hilcop.wake_waits_on(signal.SIGALRM)
        with pytest.raises(InterruptedError):
            again_and_again(file)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        hilcop.clear_interrupt()
