// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "keeper/client.h"
#include "keeper/main_queue.h"

namespace hilcop {

/// The turns of power-ons that share a supply: from the end of one to the beginning of the next passes at least its stagger.
/// What a keeper before this one did last is unknown, so the first power-on waits in full from this keeper's start.
/// All calls come from the main thread and return at once; the callbacks come later, from the queue.
class Supplies {
 public:
  using Turn = std::function<void(SteadyTime begin)>;
  using Expired = std::function<void()>;
  explicit Supplies(MainQueue& queue) : queue_(queue) {}

  /// Calls `turn` a little before the power-on may begin, never before `not_before`; the supply is then taken until done().
  /// Calls `expired` instead when the turn does not come by the deadline. Earlier moments first, then in the order of asking.
  std::uint64_t wait(const Supply& supply, SteadyTime not_before, Deadline deadline, Turn turn, Expired expired);
  /// Stands in line no more: neither callback comes. What has its turn already keeps it until done().
  void leave(std::uint64_t ticket);
  /// The power-on has ended at `when`, or failed then (it may have switched).
  void done(std::uint64_t ticket, SteadyTime when);

 private:
  struct Waiting {
    std::uint64_t ticket;
    SteadyTime not_before;
    Nanoseconds stagger;
    Turn turn;
  };
  struct Line {
    SteadyTime last;        // when the last power-on ended
    Nanoseconds stagger{};  // that it asked for
    std::uint64_t taken = 0;
    std::vector<Waiting> waiting;
    std::optional<SteadyTime> timer;
  };

  SteadyTime earliest(const Line& line, const Waiting& waiting) const;
  const Waiting& next_of(const Line& line) const;
  void plan(const std::string& name);
  void look(const std::string& name, SteadyTime timer);
  void expire(std::uint64_t ticket, const Expired& expired);

  MainQueue& queue_;
  SteadyTime began_ = real_clock().now();
  std::map<std::string, Line> lines_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace hilcop
