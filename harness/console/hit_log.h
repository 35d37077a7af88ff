// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "console/console.h"

namespace hilcop {

/// What the watchers of a console saw, in order. Looking for what is new costs nothing for what is old. Keeps the newest
/// 20,000: asking for older ones throws Error{Exhausted}, never answers "nothing". Not thread-safe.
class HitLog {
 public:
  static constexpr std::size_t kMost = 20'000;

  explicit HitLog(std::string object) : object_(std::move(object)) {}

  /// `received`: bytes received when it was found.
  void add(WatcherHit hit, bool fatal, std::uint64_t received);
  bool empty() const { return all_.empty(); }
  const WatcherHit& newest() const { return all_.back().hit; }
  /// Those that begin at or after the offset.
  std::vector<WatcherHit> since(std::uint64_t offset) const;
  /// The first of that watcher that begins at or after the offset; nullptr: none.
  const WatcherHit* first_of(const std::string& watcher, std::uint64_t offset) const;
  /// The first fatal one that ends after the offset; nullptr: none.
  const WatcherHit* first_fatal(std::uint64_t offset) const;

 private:
  struct Entry {
    WatcherHit hit;
    std::uint64_t received;
  };
  using Entries = std::deque<Entry>;
  static Entries::const_iterator after(const Entries& entries, std::uint64_t offset);
  void check_kept(std::uint64_t offset) const;

  std::string object_;
  Entries all_, fatal_;
  std::uint64_t dropped_to_ = 0;
};

}  // namespace hilcop
