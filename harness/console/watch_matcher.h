// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "console/console.h"

namespace hilcop {

/// Finds the standing patterns of a console in its stream: Vectorscan in streaming mode, then PCRE2 on the found window alone.
/// Cost per byte does not depend on the number of patterns or on the time since the last hit; nothing is lost between reads.
class WatchMatcher {
 public:
  /// Compiles (milliseconds). Throws Error{Config} naming the watcher.
  static std::unique_ptr<WatchMatcher> make(const std::vector<Watcher>& watchers);
  virtual ~WatchMatcher() = default;

  struct Hit {
    std::size_t watcher;
    ByteSpan span;
  };
  /// `fresh` are the bytes that just arrived; `window` ends with them, begins at stream offset `window_offset`, and holds
  /// Window::kLookBack bytes before them.
  /// Throws Error{Exhausted} naming the watcher when a pattern takes too many steps: a hit may have been missed.
  /// `quiet`: nothing more came for a while: a pattern with $ may match at the end.
  virtual std::vector<Hit> scan(std::string_view fresh, std::string_view window, std::uint64_t window_offset) = 0;
  virtual std::vector<Hit> scan_quiet(std::string_view window, std::uint64_t window_offset) = 0;
};

}  // namespace hilcop
