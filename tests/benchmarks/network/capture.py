# SPDX-License-Identifier: Apache-2.0
"""Recording a flooded port, beside tcpdump and dumpcap in the same round."""

from __future__ import annotations

import tempfile
from pathlib import Path

from table import Row, ratio, spread
from traffic import Recorded, Traffic, traffic

TCPDUMP = ["tcpdump", "-i", "port", "-s", "0", "-n", "-Z", "root"]
DUMPCAP = ["dumpcap", "-i", "port", "-q"]
GREEDY = [*TCPDUMP, "-B", "32768"]  # KiB of buffer


def each(recorded: Recorded) -> float:
    return recorded.processor_s / max(1, recorded.packets)


def small(flooded: Traffic, folder: Path, rounds: int, seconds: float) -> list[Row]:
    ours, tcpdump, dumpcap, lost, rates = [], [], [], 0, []
    for _ in range(rounds):
        recorded, sent = flooded.ours(folder / "ours.pcapng", seconds, 64, 500_000)
        ours.append(each(recorded))
        lost += sent["sent"] - recorded.packets
        rates.append(sent["sent"] / sent["seconds"] / 1000)
        tcpdump.append(each(flooded.peer(TCPDUMP, folder / "tcpdump.pcap", seconds, 64, 500_000)[0]))
        dumpcap.append(each(flooded.peer(DUMPCAP, folder / "dumpcap.pcapng", seconds, 64, 500_000)[0]))
    detail = f"ours {spread(ours, 1e9, 0)} ns of a processor a packet"
    return [
        Row(
            "recording 64 bytes, beside tcpdump",
            ratio(ours, tcpdump),
            "of its processor time a packet",
            "<= 0.8",
            f"{detail}, tcpdump {spread(tcpdump, 1e9, 0)}",
        ),
        Row(
            "the same beside dumpcap",
            ratio(ours, dumpcap),
            "of its processor time a packet",
            "<= 0.12",
            f"dumpcap {spread(dumpcap, 1e9, 0)}",
        ),
        Row("lost at 64 bytes, as fast as they come", lost, "packets", "<= 0", f"{spread(rates, 1, 0)} thousand a second were sent"),
    ]


def uncounted(what: str, recorded: Recorded, sent: dict[str, float]) -> Row:
    return Row(what, abs(sent["sent"] - recorded.packets - recorded.dropped), "packets wrong", "<= 0", f"{recorded.dropped} dropped")


def large(flooded: Traffic, folder: Path, seconds: float) -> list[Row]:
    rows = []
    recorded, sent = flooded.ours(folder / "ours.pcapng", 3, 1500, 300_000)
    rate = f"{sent['sent'] / sent['seconds'] / 1000:.0f} thousand a second were sent"
    rows.append(Row("lost in 3 s of 1500 bytes", sent["sent"] - recorded.packets, "packets", "<= 0", rate))
    rows.append(uncounted("what the count of those lost is off by", recorded, sent))
    recorded, sent = flooded.ours(folder / "ours.pcapng", seconds, 1500, 300_000)
    other, theirs = flooded.peer(GREEDY, folder / "tcpdump.pcap", seconds, 1500, 300_000)
    mine, others = 1 - recorded.packets / sent["sent"], 1 - other.packets / theirs["sent"]
    rows.append(uncounted(f"the same in {seconds:g} s", recorded, sent))
    detail = f"ours {mine:.2%}, tcpdump -B 32768 {others:.2%}"
    rows.append(Row(f"lost in {seconds:g} s of 1500 bytes, more than tcpdump", max(0.0, mine - others), "of 1", "<= 0", detail))
    return rows


def capture(quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, traffic() as flooded:
        flooded.flood(0.5, 64, 500_000)
        return small(flooded, Path(folder), 2 if quick else 5, 2 if quick else 5) + large(flooded, Path(folder), 5 if quick else 10)
