// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <vector>

#include "bench/bench.h"
#include "bench/selftest_record.h"
#include "io/device_tree.h"

namespace hilcop {

struct SelftestOptions {
  std::vector<std::string> duts;                     // empty: all of the bench
  std::filesystem::path out;                         // recordings and the timeline of the self-test; there already
  bool ask = true;                                   // boot each DUT and ask its interpreter
  Nanoseconds ask_limit = 60s;                       // for it to answer
  std::uint64_t least_free = 1024ull * 1024 * 1024;  // bytes, where evidence goes
  std::optional<Deadline> wait_until;
  std::function<void(const std::string&)> on_wait;
  std::function<void(const SelftestItem&)> on_item;  // as they come
  KeeperClient::Options keeper;
  DeviceTree devices;
};

/// Tests a bench as it stands: instruments, power, wiring, consoles, loopbacks, clocks, disks, recording, USB. Switches its DUTs; every
/// output ends at its safe state. A fault of the bench is an item that failed; throws Error{Busy} where somebody else uses it,
/// Error{Config}, Interrupted: then nothing is known.
std::vector<SelftestItem> selftest(const BenchConfig& bench, const SelftestOptions& options, DriverTable drivers);

}  // namespace hilcop
