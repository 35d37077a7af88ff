// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "bench/config.h"
#include "bench/selftest_record.h"
#include "io/device_tree.h"

namespace hilcop {

/// Whether the serial adapters of a bench that share one full-speed bus (a full-speed hub, or the translator of a high-speed one) can
/// all speak at once. One item each bus; one that says so where there is none.
std::vector<SelftestItem> check_usb_bandwidth(const BenchConfig& bench, DriverTable drivers, const DeviceTree& tree);

}  // namespace hilcop
