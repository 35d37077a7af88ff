// SPDX-License-Identifier: Apache-2.0
#include "network/scan/scan_pace.h"

#include <algorithm>

namespace hilcop {

namespace {

constexpr Nanoseconds kSlowsAtMostEach = 500ms, kLate = 50ms;
constexpr int kLateTimes = 5;
constexpr double kRecoverySteps = 20, kBurst = 0.01;

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

ScanPace::ScanPace(double most, SteadyTime now)
    : most_(std::max(most, kLeast)), rate_(most_), slowest_(most_), filled_(now), slowed_(now - kSlowsAtMostEach) {}

void ScanPace::at_rest(Nanoseconds round_trip) { at_rest_ = std::min(round_trip, at_rest_.value_or(round_trip)); }

void ScanPace::answered(Nanoseconds round_trip, SteadyTime now) {
  missed_ = 0;
  if (held_since_) filled_ = now, tokens_ = 0;
  held_since_.reset();
  if (!at_rest_) at_rest_ = round_trip;
  if (round_trip > kLateTimes * *at_rest_ + kLate)
    slow_down(now);
  else
    rate_ = std::min(most_, rate_ + most_ / kRecoverySteps);
}

void ScanPace::missed(SteadyTime now) {
  slow_down(now);
  if (++missed_ >= kMissesToHold && !held_since_) held_since_ = now;
}

void ScanPace::slow_down(SteadyTime now) {
  if (now - slowed_ < kSlowsAtMostEach) return;
  slowed_ = now;
  rate_ = std::max(kLeast, rate_ / 2);
  slowest_ = std::min(slowest_, rate_);
}

std::size_t ScanPace::allowed(SteadyTime now) {
  tokens_ = std::min(std::max(1.0, rate_ * kBurst), tokens_ + rate_ * seconds(now - filled_));
  filled_ = now;
  return held_since_ || tokens_ < 1 ? 0 : static_cast<std::size_t>(tokens_);
}

SteadyTime ScanPace::next(SteadyTime now) const {
  return now + Nanoseconds(static_cast<std::int64_t>(std::max(0.0, 1 - tokens_) / rate_ * 1e9));
}

}  // namespace hilcop
