// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace hilcop {

using namespace std::chrono_literals;  // NOLINT: 150ms reads better than any other spelling

/// CLOCK_MONOTONIC: one time base for all processes of a host; what the timeline is ordered by.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using UtcTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;
using Nanoseconds = std::chrono::nanoseconds;

/// Time is passed in: the real clock in main, a fake one in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime now() const = 0;
  virtual UtcTime utc_now() const = 0;
  /// Blocks until `when`. The only sleep there is: everything else waits for a condition.
  virtual void sleep_until(SteadyTime when) = 0;
};

/// The host's clock; lives as long as the process.
Clock& real_clock();

inline std::int64_t to_ns(SteadyTime t) { return t.time_since_epoch().count(); }
inline SteadyTime from_ns(std::int64_t ns) { return SteadyTime(Nanoseconds(ns)); }

/// "2026-11-24T04:05:52.123456789Z"
std::string to_iso8601(UtcTime t);

}  // namespace hilcop
