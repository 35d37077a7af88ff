// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "io/unique_fd.h"

namespace hilcop {

/// What a network has to say to whoever started it, from any thread. At most kMost lines wait; of more, which a flood makes, only the
/// number is told. Never blocks.
class Outbox {
 public:
  Outbox();
  void event(const std::string& kind, SteadyTime steady, UtcTime utc, nlohmann::json data);
  /// An answer that took its time; never lost.
  void answer(nlohmann::json line);
  /// Readable while something waits.
  int fd() const { return wake_.get(); }
  std::vector<nlohmann::json> take();
  std::uint64_t lost() const;

  static constexpr std::size_t kMost = 10'000;

 private:
  void put(nlohmann::json line, bool may_be_lost);
  UniqueFd wake_;
  mutable std::mutex mutex_;
  std::vector<nlohmann::json> lines_;
  std::uint64_t lost_ = 0;
};

}  // namespace hilcop
