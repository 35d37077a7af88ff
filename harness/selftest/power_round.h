// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "bench/selftest_record.h"
#include "selftest/arrivals.h"

namespace hilcop {

struct PowerRoundOptions {
  bool ask = true;              // boot each DUT to its last stage and ask its interpreter
  Nanoseconds ask_limit = 60s;  // for it to answer
  std::function<void(const SelftestItem&)> on_item;
  std::function<void(const std::string& dut)> while_on;  // called once for each DUT, in the middle of its turn; may be empty
};

/// Switches the DUTs of an open bench on and off, one at a time, and looks which consoles react: whether each power port really
/// switches its own DUT and no other, whether consoles are silent without power, speak with it, and answer. Leaves all of them off.
/// What the bench does wrong is an item; throws only Interrupted.
void test_power(Bench& bench, const Arrivals& arrivals, const PowerRoundOptions& options);

}  // namespace hilcop
