// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace ht1 {

// Seconds of a clock that only goes forward, whatever is done to the time of day.
inline double steady_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace ht1
