// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>

#include "base/clock.h"

namespace hilcop {

/// How fast a device is asked, by how it bears it: a heartbeat beside the probes tells. A beat that is late (over 5 times the first ones'
/// round trip and 50 ms) or missed halves the rate, at most every half second; each good one gives a twentieth of the full rate back. Three
/// missed in a row hold the probes until one is answered. Time is passed in; not thread-safe.
class ScanPace {
 public:
  static constexpr double kLeast = 10;  // probes a second, however badly the device bears it
  static constexpr int kMissesToHold = 3;

  /// `most`: probes a second, kLeast at least.
  ScanPace(double most, SteadyTime now);

  /// What a beat takes while nothing is asked; the least of several.
  void at_rest(Nanoseconds round_trip);
  void answered(Nanoseconds round_trip, SteadyTime now);
  void missed(SteadyTime now);

  /// Probes that may be sent now; a hundredth of a second's at most at once.
  std::size_t allowed(SteadyTime now);
  void sent() { tokens_ -= 1; }
  /// When the next may be sent, unless a beat changes it.
  SteadyTime next(SteadyTime now) const;

  double rate() const { return rate_; }
  double slowest() const { return slowest_; }
  bool held() const { return held_since_.has_value(); }
  Nanoseconds held_for(SteadyTime now) const { return held_since_ ? now - *held_since_ : Nanoseconds(0); }

 private:
  void slow_down(SteadyTime now);

  double most_, rate_, slowest_, tokens_ = 0;
  SteadyTime filled_, slowed_;
  std::optional<Nanoseconds> at_rest_;
  std::optional<SteadyTime> held_since_;
  int missed_ = 0;
};

}  // namespace hilcop
