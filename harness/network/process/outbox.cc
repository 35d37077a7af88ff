// SPDX-License-Identifier: Apache-2.0
#include "network/process/outbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace hilcop {

Outbox::Outbox() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Outbox::event(const std::string& kind, SteadyTime steady, UtcTime utc, nlohmann::json data) {
  put({{"event", kind}, {"steady_ns", to_ns(steady)}, {"utc_ns", utc.time_since_epoch().count()}, {"data", std::move(data)}}, true);
}

void Outbox::answer(nlohmann::json line) { put(std::move(line), false); }

void Outbox::put(nlohmann::json line, bool may_be_lost) {
  const std::scoped_lock lock(mutex_);
  if (may_be_lost && lines_.size() >= kMost) {
    ++lost_;
    return;
  }
  lines_.push_back(std::move(line));
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

std::vector<nlohmann::json> Outbox::take() {
  const std::scoped_lock lock(mutex_);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
  return std::exchange(lines_, {});
}

std::uint64_t Outbox::lost() const {
  const std::scoped_lock lock(mutex_);
  return lost_;
}

}  // namespace hilcop
