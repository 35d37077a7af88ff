// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/event.h"

namespace hilcop {

/// An event sink that also notes what each console said and when, by the console's source ("lamp/main"). Keeps the newest 100,000
/// arrivals of each. Thread-safe.
class Arrivals final : public EventSink {
 public:
  struct Chunk {
    SteadyTime at;  // when the read returned: its last byte had come
    std::size_t bytes = 0;
  };
  /// All that a console ever said.
  struct Sum {
    std::uint64_t bytes = 0, fnv = 0xcbf29ce484222325;  // FNV-1a, 64 bits
  };

  explicit Arrivals(EventSink& next) : next_(next) {}
  void emit(Event event) override { next_.emit(std::move(event)); }
  void console_bytes(const std::string& source, std::uint64_t offset, std::span<const std::byte> bytes) override;

  std::vector<Chunk> since(const std::string& source, SteadyTime from) const;
  bool spoke_since(const std::string& source, SteadyTime from) const;
  /// When it last said something; SteadyTime{}: never.
  SteadyTime last(const std::string& source) const;
  std::map<std::string, Sum> sums() const;

  /// Waits until `source` has said nothing for `quiet`, counted from `from` at the earliest. False at the deadline.
  bool wait_quiet(const std::string& source, Nanoseconds quiet, SteadyTime from, Deadline deadline) const;
  /// Waits until it has said something at or after `from`. False at the deadline.
  bool wait_spoke(const std::string& source, SteadyTime from, Deadline deadline) const;

 private:
  EventSink& next_;
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Chunk>> chunks_;
  std::map<std::string, Sum> sums_;
};

/// Goes on with the sum over more bytes.
void add(Arrivals::Sum& sum, std::span<const std::byte> bytes);

}  // namespace hilcop
