// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "base/clock.h"

namespace hilcop {

/// A point in steady time by which a call must have ended. Made once by the caller and passed down; durations are not.
class Deadline {
 public:
  explicit Deadline(SteadyTime at) : at_(at) {}
  static Deadline in(Nanoseconds span, const Clock& clock = real_clock()) { return Deadline(clock.now() + span); }

  SteadyTime at() const { return at_; }
  bool expired(const Clock& clock = real_clock()) const { return clock.now() >= at_; }
  /// Never negative.
  Nanoseconds remaining(const Clock& clock = real_clock()) const { return std::max(Nanoseconds(0), Nanoseconds(at_ - clock.now())); }
  /// For poll(2): rounded up, so that a wait never spins; at most one hour.
  int poll_timeout_ms(const Clock& clock = real_clock()) const {
    return static_cast<int>(std::min<std::int64_t>((remaining(clock).count() + 999'999) / 1'000'000, 3'600'000));
  }
  /// The earlier of this deadline and `span` from now: for one step of a longer wait.
  Deadline at_most(Nanoseconds span, const Clock& clock = real_clock()) const { return Deadline(std::min(at_, clock.now() + span)); }

 private:
  SteadyTime at_;
};

}  // namespace hilcop
