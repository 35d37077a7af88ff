// SPDX-License-Identifier: Apache-2.0
#include "selftest/arrivals.h"

#include <algorithm>

#include "base/interrupt.h"

namespace hilcop {
namespace {

constexpr std::size_t kKept = 100'000;
constexpr Nanoseconds kLook = 2ms;

}  // namespace

void add(Arrivals::Sum& sum, std::span<const std::byte> bytes) {
  sum.bytes += bytes.size();
  for (const auto byte : bytes) sum.fnv = (sum.fnv ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3;
}

void Arrivals::console_bytes(const std::string& source, std::uint64_t offset, std::span<const std::byte> bytes) {
  next_.console_bytes(source, offset, bytes);
  // The console calls within the read itself: this is its own stamp, give or take microseconds.
  const auto now = real_clock().now();
  const std::scoped_lock lock(mutex_);
  auto& chunks = chunks_[source];
  chunks.push_back({now, bytes.size()});
  if (chunks.size() > kKept) chunks.pop_front();
  add(sums_[source], bytes);
}

std::vector<Arrivals::Chunk> Arrivals::since(const std::string& source, SteadyTime from) const {
  const std::scoped_lock lock(mutex_);
  const auto found = chunks_.find(source);
  if (found == chunks_.end()) return {};
  const auto first = std::lower_bound(found->second.begin(), found->second.end(), from,
                                      [](const Chunk& chunk, SteadyTime moment) { return chunk.at < moment; });
  return {first, found->second.end()};
}

SteadyTime Arrivals::last(const std::string& source) const {
  const std::scoped_lock lock(mutex_);
  const auto found = chunks_.find(source);
  return found == chunks_.end() || found->second.empty() ? SteadyTime{} : found->second.back().at;
}

bool Arrivals::spoke_since(const std::string& source, SteadyTime from) const {
  const auto when = last(source);
  return when != SteadyTime{} && when >= from;
}

std::map<std::string, Arrivals::Sum> Arrivals::sums() const {
  const std::scoped_lock lock(mutex_);
  return sums_;
}

bool Arrivals::wait_quiet(const std::string& source, Nanoseconds quiet, SteadyTime from, Deadline deadline) const {
  while (true) {
    const auto due = std::max(last(source), from) + quiet;
    if (real_clock().now() >= due) return true;
    if (deadline.expired()) return false;
    wait_until(Deadline(std::min(due, deadline.at())));
  }
}

bool Arrivals::wait_spoke(const std::string& source, SteadyTime from, Deadline deadline) const {
  while (!spoke_since(source, from)) {
    if (deadline.expired()) return false;
    wait_until(deadline.at_most(kLook));
  }
  return true;
}

}  // namespace hilcop
