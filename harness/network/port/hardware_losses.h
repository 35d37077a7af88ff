// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "network/port/links.h"

namespace hilcop {

/// What a real interface has lost since this was made, before anybody could record it: its hardware or driver had no room, or it came
/// broken (a bad cable). Of an interface that has gone, what was known last; a driver that begins its counts anew loses none of them. The
/// kernel is asked every kEvery at most: who adds or resets an interface may hold it up. Of the namespace that it was made in; not
/// thread-safe.
class HardwareLosses {
 public:
  static constexpr Nanoseconds kEvery = std::chrono::milliseconds(20);
  explicit HardwareLosses(std::string interface) : interface_(std::move(interface)) { last_ = now().value_or(0); }
  std::uint64_t operator()() {
    if (real_clock().now() < asked_ + kEvery) return lost_;
    const auto counted = now();
    if (!counted) return lost_;
    lost_ += *counted >= last_ ? *counted - last_ : *counted;
    last_ = *counted;
    return lost_;
  }

 private:
  std::optional<std::uint64_t> now() {
    const auto counts = links_.counts(interface_);
    asked_ = real_clock().now();
    return counts ? std::optional(counts->rx_dropped + counts->rx_lost) : std::nullopt;
  }
  std::string interface_;
  Links links_;
  SteadyTime asked_{};
  std::uint64_t lost_ = 0, last_ = 0;
};

}  // namespace hilcop
