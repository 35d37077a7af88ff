// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace hilcop {

/// One thing that happened on the bench. The kinds and their data are listed in harness/evidence/docs/timeline.md.
struct Event {
  SteadyTime steady;
  UtcTime utc;
  std::string source;  // "board1/console", "board1/power", "worker-1", "supervisor"
  std::string kind;    // "power.edge", "boot.stage", ...
  nlohmann::json data;
};

/// Where events go. Thread-safe; returns quickly; never throws for a slow reader.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void emit(Event event) = 0;
  /// Console bytes for live watchers, beside the recording (which the console's recorder writes itself).
  virtual void console_bytes(const std::string& source, std::uint64_t offset, std::span<const std::byte> bytes) {
    (void)source, (void)offset, (void)bytes;
  }
};

/// An event stamped now.
inline Event make_event(std::string source, std::string kind, nlohmann::json data = nlohmann::json::object(),
                        const Clock& clock = real_clock()) {
  return {clock.now(), clock.utc_now(), std::move(source), std::move(kind), std::move(data)};
}

}  // namespace hilcop
