// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next try: doubled each time up to a limit, and never quite the same for two units.
#pragma once

#include <algorithm>
#include <cstring>

#include "crypto.h"
#include "flaws.h"

namespace ht1 {

// 0 to 1, from the system's random source: two units that start at the same instant do not call at the same instant.
inline double random_fraction() {
  const auto bytes = random_bytes(4);
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), 4);
  return number / 4294967296.0;
}

class Backoff {
 public:
  Backoff(double first_s, double most_s, const Flaws& flaws) : first_(first_s), most_(most_s), next_(first_s), flaws_(flaws) {}
  double next_s() {
    if (flaws_.has("no-backoff")) return 0.1;
    const double whole = next_;
    next_ = std::min(most_, next_ * 2);
    return whole * (0.5 + random_fraction() / 2);
  }
  void succeeded() { next_ = first_; }

 private:
  double first_, most_, next_;
  const Flaws& flaws_;
};

}  // namespace ht1
