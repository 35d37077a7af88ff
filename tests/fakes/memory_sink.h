// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "base/event.h"

namespace hilcop {

/// Keeps every event, for tests. Thread-safe.
class MemorySink final : public EventSink {
 public:
  void emit(Event event) override {
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
  }
  std::vector<Event> events(const std::string& kind = "") const {
    const std::scoped_lock lock(mutex_);
    std::vector<Event> found;
    for (const auto& event : events_)
      if (kind.empty() || event.kind == kind) found.push_back(event);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

}  // namespace hilcop
