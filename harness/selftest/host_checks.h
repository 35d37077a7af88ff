// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/timex.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "bench/selftest_record.h"

namespace hilcop {

/// Watches the clocks of this host from its making until items(): whether UTC and the steady clock went together, whether UTC can be
/// right at all, and whether the kernel says that something keeps it right.
class ClockCheck {
 public:
  /// `kernel`: as adjtimex(2).
  explicit ClockCheck(const Clock& clock, std::function<int(timex*)> kernel = ::adjtimex)
      : clock_(clock), kernel_(std::move(kernel)), steady_(clock.now()), utc_(clock.utc_now()) {}
  std::vector<SelftestItem> items() const;

 private:
  const Clock& clock_;
  std::function<int(timex*)> kernel_;
  SteadyTime steady_;
  UtcTime utc_;
};

/// Whether a file system has room for evidence: `least` bytes, and files. A directory that is not there yet: of the nearest above it.
SelftestItem check_disk(const std::string& what, const std::filesystem::path& directory, std::uint64_t least);

}  // namespace hilcop
