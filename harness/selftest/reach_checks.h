// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "bench/bench.h"
#include "bench/selftest_record.h"

namespace hilcop {

/// Whether the disks of a DUT can be reached: each is found, opened, and given back; nothing is read or written. Those behind a mux while
/// the DUT has no power, its own while it has. Blocks for as long as lab-config lets a disk take to appear. Throws only Interrupted.
std::vector<SelftestItem> check_storage(Dut& dut, bool powered);

/// Whether the DUT shows itself at its USB socket with power, and does not without: waits at most 10 s. None for a DUT without USB.
std::vector<SelftestItem> check_usb(Dut& dut, bool powered);

}  // namespace hilcop
