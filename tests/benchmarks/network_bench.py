# SPDX-License-Identifier: Apache-2.0
"""./dev bench network [--quick] [--json FILE] [PART...]: the bench's network beside tcpdump, dumpcap and tshark.

Parts: canaries, reading, capture, wire, setup, scan (default: all). Ratios are medians of the ratios of rounds that ran one after another.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "network"))
sys.path.insert(0, str(Path(__file__).parent / "console"))  # its table

import analysis
import capture
import scan
import setup
import wire
from bench_main import bench

PARTS = {
    "canaries": analysis.canaries,
    "reading": analysis.reading,
    "capture": capture.capture,
    "wire": wire.wire,
    "setup": setup.setup,
    "scan": scan.scan,
}

if __name__ == "__main__":
    bench("network", PARTS, "fewer and shorter rounds, and a smaller capture")
