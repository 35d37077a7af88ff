// SPDX-License-Identifier: Apache-2.0
#include "keeper/supplies.h"

#include <algorithm>
#include <utility>

#include "keeper/held_instrument.h"

namespace hilcop {

std::uint64_t Supplies::wait(const Supply& supply, SteadyTime not_before, Deadline deadline, Turn turn, Expired expired) {
  const auto ticket = ++last_ticket_;
  const auto line = lines_.try_emplace(supply.name, Line{.last = began_, .waiting = {}, .timer = {}}).first;
  line->second.waiting.push_back({ticket, not_before, supply.stagger, std::move(turn)});
  queue_.at(deadline.at(), [this, ticket, expired = std::move(expired)] { expire(ticket, expired); });
  plan(supply.name);
  return ticket;
}

void Supplies::leave(std::uint64_t ticket) {
  for (auto& [name, line] : lines_)
    if (std::erase_if(line.waiting, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; }) > 0) return plan(name);
}

void Supplies::done(std::uint64_t ticket, SteadyTime when) {
  for (auto& [name, line] : lines_) {
    if (line.taken != ticket) continue;
    line.taken = 0;
    line.last = std::max(line.last, when);
    return plan(name);
  }
}

void Supplies::expire(std::uint64_t ticket, const Expired& expired) {
  for (auto& [name, line] : lines_)
    if (std::erase_if(line.waiting, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; }) > 0) {
      plan(name);
      return expired();
    }
}

SteadyTime Supplies::earliest(const Line& line, const Waiting& waiting) const {
  return std::max(waiting.not_before, line.last + std::max(line.stagger, waiting.stagger));
}

const Supplies::Waiting& Supplies::next_of(const Line& line) const {
  return *std::min_element(line.waiting.begin(), line.waiting.end(), [&](const Waiting& a, const Waiting& b) {
    return std::pair(earliest(line, a), a.ticket) < std::pair(earliest(line, b), b.ticket);
  });
}

// Looks again when the next one's moment comes; also for one that is due: never from within the call that asked for it.
void Supplies::plan(const std::string& name) {
  auto& line = lines_.at(name);
  if (line.taken != 0 || line.waiting.empty()) return;
  const auto at = std::max(earliest(line, next_of(line)) - kHandOver, real_clock().now());
  if (line.timer && *line.timer <= at) return;
  line.timer = at;
  queue_.at(at, [this, name, at] { look(name, at); });
}

void Supplies::look(const std::string& name, SteadyTime timer) {
  auto& line = lines_.at(name);
  if (line.timer != timer) return;  // an earlier one came between
  line.timer.reset();
  if (line.taken != 0 || line.waiting.empty()) return;
  const Waiting next = next_of(line);
  const auto begin = earliest(line, next);
  if (begin - kHandOver > real_clock().now()) return plan(name);
  std::erase_if(line.waiting, [&](const Waiting& waiting) { return waiting.ticket == next.ticket; });
  line.taken = next.ticket;
  line.stagger = next.stagger;
  next.turn(begin);
}

}  // namespace hilcop
