// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/event.h"

namespace hilcop {

/// Hands events on, and tells what the bench does to a DUT (power, keys, lines, its network) to whoever records that DUT's traffic.
/// Thread-safe.
class MarkingSink final : public EventSink {
 public:
  using Mark = std::function<void(const std::string& text)>;
  explicit MarkingSink(EventSink& sink) : sink_(sink) {}

  /// `mark` is called for events of this DUT, too, until clear_marks(). It must not emit.
  void add_mark(const std::string& dut, Mark mark);
  void clear_marks(const std::string& dut);
  void emit(Event event) override;
  void console_bytes(const std::string& source, std::uint64_t offset, std::span<const std::byte> bytes) override {
    sink_.console_bytes(source, offset, bytes);
  }

 private:
  EventSink& sink_;
  std::mutex mutex_;
  std::multimap<std::string, Mark> marks_;
};

}  // namespace hilcop
