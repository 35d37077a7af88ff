// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <mutex>

#include "base/clock.h"

namespace hilcop {

/// A clock that stands still until told: sleep_until jumps there. Steady and UTC advance together. Thread-safe.
class FakeClock final : public Clock {
 public:
  SteadyTime now() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }
  UtcTime utc_now() const override { return UtcTime(Nanoseconds(1'700'000'000'000'000'000) + now().time_since_epoch()); }
  void sleep_until(SteadyTime when) override {
    const std::scoped_lock lock(mutex_);
    if (when > now_) now_ = when;
  }
  void advance(Nanoseconds span) {
    const std::scoped_lock lock(mutex_);
    now_ += span;
  }

 private:
  mutable std::mutex mutex_;
  SteadyTime now_{1000s};
};

}  // namespace hilcop
