// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>

#include "bench/bench.h"
#include "bench/calibration.h"
#include "selftest/power_effect.h"

namespace hilcop {

struct CalibrateOptions {
  int switchings = 20;      // on and off, each
  Nanoseconds limit = 40s;  // for one effect: a PDU may answer after 30 s
  std::function<void(int done)> progress;
};

/// Switches a DUT's power on and off and measures how long after each command its effect came. Leaves it off. Throws Error where the
/// effect does not follow the power, or where more than half of the switchings count for nothing: never a figure for a wrong effect.
Calibration calibrate(Dut& dut, PowerEffect& effect, Calibration key, const CalibrateOptions& options);

}  // namespace hilcop
