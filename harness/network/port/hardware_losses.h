// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "network/port/links.h"

namespace hilcop {

/// What a real interface has lost since this was made, before anybody could record it: its hardware or driver had no room, or it came
/// broken (a bad cable). Of an interface that has gone, what was known last. Of the namespace that it was made in; not thread-safe.
class HardwareLosses {
 public:
  explicit HardwareLosses(std::string interface) : interface_(std::move(interface)) { before_ = last_ = now(); }
  std::uint64_t operator()() { return (last_ = now()) - before_; }

 private:
  std::uint64_t now() {
    const auto counts = links_.counts(interface_);
    return counts ? counts->rx_dropped + counts->rx_lost : last_;
  }
  std::string interface_;
  Links links_;
  std::uint64_t before_ = 0, last_ = 0;
};

}  // namespace hilcop
