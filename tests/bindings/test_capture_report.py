# SPDX-License-Identifier: Apache-2.0
"""read_capture: what a capture says reaches Python whole; and the capture of a bench's own network, as far as it is written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hilcop
import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from captures import CapturingPort, dns, ip, talk, udp, write_pcapng

DEVICE, GATEWAY = "192.0.2.10", ("192.0.2.1", 53)
API = ("198.18.0.2", 80)
GET = b"GET /v1/time HTTP/1.1\r\nHost: api.example\r\nAuthorization: Basic YWRtaW46aHVudGVyMg==\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nServer: cloud\r\nContent-Length: 2\r\n\r\nok"


def day() -> list[bytes]:
    frames = [udp((DEVICE, 50000), GATEWAY, dns("api.example")), udp(GATEWAY, (DEVICE, 50000), dns("api.example", API[0]))]
    frames += talk((DEVICE, 40000), API, GET, answer=OK)
    frames += [udp((DEVICE, 123), ("198.18.0.9", 123), b"\x23" + bytes(47)), udp((DEVICE, 40500), ("198.18.0.7", 7777), b"what is this")]
    frames += [udp((DEVICE, 50001), GATEWAY, b"no dns"), bytes.fromhex("020000000001 020000000002 88cc") + bytes(40)]
    return [*frames, ip(DEVICE, "198.18.0.7", 1, b"\x08\0\0\0\0\1\0\1")]


def test_servers_are_listed_with_names_services_bytes_and_times(tmp_path: Path) -> None:
    frames = day()
    report = hilcop.read_capture(write_pcapng(tmp_path / "day.pcapng", frames))
    api = report.destination("api.example")
    assert api
    assert (api.named_by, api.addresses, api.services, api.ports, api.applications) == ("dns", (API[0],), ("80/tcp",), (80,), ("http",))
    sent = [frame for frame in frames[2:] if frame[30:34] == bytes((198, 18, 0, 2))]
    assert (api.sent.packets, api.sent.bytes, api.sent.payload_bytes) == (len(sent), sum(map(len, sent)), len(GET))
    assert api.received.payload_bytes == len(OK)
    assert (api.first, api.last) == ("2024-11-19T07:06:40.003000000Z", "2024-11-19T07:06:40.010000000Z")
    assert report.destination(API[0]) == api
    unnamed = report.destination("198.18.0.7")
    assert unnamed
    assert (unnamed.named_by, unnamed.services) == ("", ("7777/udp", "icmp"))
    assert report.destination("elsewhere.example") is None
    (flow,) = [report.flows[number] for number in api.flows]
    assert (flow.client, flow.server, flow.protocol, flow.frames) == (f"{DEVICE}:40000", "198.18.0.2:80", 6, ((3, 10),))
    assert (flow.name, flow.name_by, flow.application, flow.by_content) == ("api.example", "dns", "http", True)


def test_protocols_are_read_and_passwords_are_not_told(tmp_path: Path) -> None:
    report = hilcop.read_capture(write_pcapng(tmp_path / "day.pcapng", day()))
    seen = report.observations
    assert [message["questions"][0]["name"] for message in seen["dns"]] == ["api.example"] * 2
    assert seen["dns"][1]["answers"][0].get("address") == API[0]
    assert [(message["version"], message["mode"]) for message in seen["ntp"]] == [(4, 3)]
    request, response = sorted(seen["http"], key=lambda message: not message["request"])
    assert (request.get("method"), request.get("target"), request.get("host")) == ("GET", "/v1/time", "api.example")
    assert (response.get("status"), response["body_bytes"], response["complete"]) == (200, 2, True)
    (credential,) = seen["credentials"]
    assert (credential["protocol"], credential["user"], credential["password"]["bytes"]) == ("http-basic", "admin", 7)
    assert credential["places"][0]["frame"] == 6
    assert "hunter2" not in repr(report)


def test_what_was_not_understood_is_counted(tmp_path: Path) -> None:
    report = hilcop.read_capture(write_pcapng(tmp_path / "day.pcapng", day()))
    assert report.frames == len(day())
    assert report.unread == {"unknown Ethernet protocol": 1}
    assert report.observations["malformed"] == {"dns": 1}
    assert [flow.server for flow in report.unrecognised if flow.protocol == 17 and flow.server.startswith("198.18")] == ["198.18.0.7:7777"]
    assert (report.unknown_blocks, report.frames_without_flow, report.names_not_kept, report.snapped_frames) == (0, 0, 0, 0)
    assert report.complete, report.limits


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    frames = talk((DEVICE, 40000), API, bytes(40), size=10)
    report = hilcop.read_capture(write_pcapng(tmp_path / "a.pcapng", [*frames[:4], *frames[5:]], dropped=1))
    assert (report.tcp["gaps"], report.tcp["gap_bytes"]) == (1, 10)
    assert [(gap["offset"], gap["bytes"]) for gap in report.gaps] == [(10, 10)]
    (wire,) = report.interfaces
    assert (wire.name, wire.link_type, wire.received, wire.dropped) == ("wire", 1, len(frames), 1)
    assert not report.complete
    assert len(report.limits) == 2, report.limits
    torn = write_pcapng(tmp_path / "torn.pcapng", frames).read_bytes()[:-9]
    (tmp_path / "torn.pcapng").write_bytes(torn)
    report = hilcop.read_capture(tmp_path / "torn.pcapng")
    assert "the file ends within a block" in report.damage[0]
    assert (report.interfaces[0].dropped, report.complete) == (None, False)


def test_a_bench_reads_its_own_capture_as_far_as_it_is_written(tmp_path: Path) -> None:
    frames = [udp((DEVICE, 1), API, b"hello"), udp((DEVICE, 1), API, b"key=c4n4ryWifi5521")]
    file = write_pcapng(tmp_path / "a.pcapng", frames, dropped=None)
    file.write_bytes(file.read_bytes() + file.read_bytes()[-40:-7])  # the next is on its way
    port = CapturingPort(file, packets=2)
    report = port.network().read()
    assert (report.frames, report.complete, report.interfaces[0].dropped) == (2, True, 0)
    assert port.asked == [("capture.sync", {"name": "main"})]
    found = CapturingPort(file, packets=2).network().find_canaries({"wifi key": "c4n4ryWifi5521", "serial": "SN-0000-4711"})
    assert found.complete, found.limits
    assert [(one.canary, one.frames) for one in found.findings] == [("wifi key", (2,))]
    assert not CapturingPort(file, packets=1).network().find_canaries({"wifi key": "c4n4ryWifi5521"}).findings, (
        "no further than it was then"
    )


def test_what_the_bench_lost_leaves_its_capture_incomplete(tmp_path: Path) -> None:
    file = write_pcapng(tmp_path / "a.pcapng", [udp((DEVICE, 1), API, b"hello")], dropped=None)
    lost = CapturingPort(file, packets=1, dropped=4).network().find_canaries({"wifi key": "c4n4ryWifi5521"})
    assert (lost.complete, lost.limits) == (False, ("4 packets were lost by the capture on 'wire'",))
    absent = CapturingPort(file, packets=3).network().read()
    assert (absent.complete, absent.limits) == (False, ("2 frames were recorded and are not in the file",))


def test_a_bench_that_records_nothing_has_nothing_to_read() -> None:
    port = CapturingPort(None)
    for call in (lambda: port.network().read(), lambda: port.network().find_canaries({"wifi key": "c4n4ryWifi5521"})):
        with pytest.raises(
            hilcop.ConfigError, match="the bench records nothing, so that there is no capture to read; open it with record_dir="
        ):
            call()
    assert port.asked == []
