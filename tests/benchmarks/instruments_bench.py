# SPDX-License-Identifier: Apache-2.0
"""./dev bench instruments [--quick] [--json FILE] [PART...]: hilcop's instruments beside other programs on the same servers.

Parts: rfc2217, switches (default: all). Ratios are medians of the ratios of rounds that ran one after the other.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "instruments"))
sys.path.insert(0, str(Path(__file__).parent / "console"))  # its table

import rfc2217
import switches
from bench_main import bench

if __name__ == "__main__":
    bench("instruments", {"rfc2217": rfc2217.rfc2217, "switches": switches.switches}, "a third of the rounds")
