// SPDX-License-Identifier: Apache-2.0
#include "network/wire/impairment.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hilcop {

namespace {

constexpr std::size_t kEthernetHeader = 14;

}  // namespace

bool Impairment::none() const {
  return loss == 0 && duplicate == 0 && corrupt == 0 && reorder == 0 && delay.count() == 0 && jitter.count() == 0 && rate == 0;
}

std::string Impairment::objection() const {
  for (const auto& [name, share] : {std::pair{"loss", loss}, {"duplicate", duplicate}, {"corrupt", corrupt}, {"reorder", reorder}})
    if (!(share >= 0 && share <= 1)) return std::string(name) + " is a share of the frames, from 0 to 1";
  if (delay.count() < 0 || delay > 60s || jitter.count() < 0 || jitter > 60s) return "delay and jitter are from 0 to 60 s";
  if (reorder > 0 && delay.count() == 0) return "reorder needs a delay: a frame overtakes those that wait";
  if (queue == 0 || queue > 100'000) return "queue is from 1 to 100000 frames";
  return "";
}

void ImpairedWay::set(const Impairment& impairment, std::uint64_t seed) {
  if (const auto wrong = impairment.objection(); !wrong.empty()) throw Error(ErrorKind::Config, "impairment of the bench network", wrong);
  impairment_ = impairment;
  random_.seed(seed);
  line_free_ = {};
  last_ = {};
}

// Not std::uniform_real_distribution: its numbers differ from library to library, and a seed should say the same everywhere.
bool ImpairedWay::happens(double share) {
  if (share <= 0) return false;
  return static_cast<double>(random_() >> 11) * 0x1p-53 < share;
}

// Box-Muller, for the same reason.
SteadyTime ImpairedWay::time_for(std::size_t bytes, SteadyTime now) {
  auto at = now;
  if (impairment_.rate > 0) {
    const auto begins = std::max(now, line_free_);
    line_free_ = begins + Nanoseconds(static_cast<std::int64_t>(static_cast<double>(bytes) * 8e9 / static_cast<double>(impairment_.rate)));
    at = line_free_;
  }
  if (happens(impairment_.reorder)) {
    ++counts_.reordered;
    return at;
  }
  double delay = static_cast<double>(impairment_.delay.count());
  if (impairment_.jitter.count() > 0) {
    const double first = static_cast<double>((random_() >> 11) + 1) * 0x1p-53, second = static_cast<double>(random_() >> 11) * 0x1p-53;
    delay += static_cast<double>(impairment_.jitter.count()) * std::sqrt(-2 * std::log(first)) * std::cos(6.283185307179586 * second);
  }
  last_ = std::max(last_, at + Nanoseconds(static_cast<std::int64_t>(std::max(0.0, delay))));
  return last_;
}

void ImpairedWay::put(std::span<const std::byte> frame, SteadyTime now) {
  if (waiting_.size() >= impairment_.queue) {
    ++counts_.overflowed;
    return;
  }
  std::vector<std::byte> copy(frame.begin(), frame.end());
  if (happens(impairment_.corrupt) && copy.size() > kEthernetHeader) {
    const auto bit = random_() % ((copy.size() - kEthernetHeader) * 8);
    copy[kEthernetHeader + bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    ++counts_.corrupted;
  }
  waiting_.push({time_for(frame.size(), now), number_++, std::move(copy)});
}

void ImpairedWay::take(std::span<const std::byte> frame, SteadyTime now) {
  ++counts_.arrived;
  if (impairment_.none() && waiting_.empty()) {
    ++counts_.passed;
    send_(frame);
    return;
  }
  if (happens(impairment_.loss)) {
    ++counts_.lost;
    return;
  }
  if (happens(impairment_.duplicate)) {
    ++counts_.duplicated;
    put(frame, now);
  }
  put(frame, now);
  release(now);
}

void ImpairedWay::release(SteadyTime now) {
  while (!waiting_.empty() && waiting_.top().at <= now) {
    ++counts_.passed;
    send_(waiting_.top().frame);
    waiting_.pop();
  }
}

std::optional<SteadyTime> ImpairedWay::next() const { return waiting_.empty() ? std::nullopt : std::optional(waiting_.top().at); }

void ImpairedWay::drop_waiting() {
  counts_.lost += waiting_.size();
  waiting_ = {};
}

}  // namespace hilcop
