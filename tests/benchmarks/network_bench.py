# SPDX-License-Identifier: Apache-2.0
"""./dev bench network [--quick] [--json FILE] [PART...]: hilcop's reading of captures beside tshark's.

Parts: canaries, reading (default: all). Ratios are medians of the ratios of rounds that ran one after the other.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "network"))
sys.path.insert(0, str(Path(__file__).parent / "console"))  # its table

import analysis
from bench_main import bench

if __name__ == "__main__":
    bench("network", {"canaries": analysis.canaries, "reading": analysis.reading}, "fewer rounds, and a smaller capture")
