// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/connection_log.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"

namespace hilcop {
namespace {

bool meets(const InterceptedConnection& connection, const InterceptTarget& target, SteadyTime since) {
  return connection.accepted.steady >= since && target.met_by(connection.name, connection.aimed_at);
}

}  // namespace

void ConnectionLog::came(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  ++counts_.accepted;
  going_[number];
}

void ConnectionLog::count(std::uint64_t InterceptCounts::*which) {
  const std::scoped_lock lock(mutex_);
  ++(counts_.*which);
}

void ConnectionLog::aims(const InterceptedConnection& connection) {
  const std::scoped_lock lock(mutex_);
  going_[connection.number] = Going{connection.name, connection.aimed_at, connection.accepted.steady};
}

void ConnectionLog::ended(InterceptedConnection connection) {
  const std::scoped_lock lock(mutex_);
  going_.erase(connection.number);
  data_ += connection.data.size();
  ended_.push_back(std::move(connection));
  ++counts_.ended;
  while (ended_.size() > kMostRecords || data_ > kMostData) {
    data_ -= ended_.front().data.size();
    ended_.pop_front();
    ++counts_.no_longer_kept;
  }
  for (const int fd : waiters_) ::eventfd_write(fd, 1);
}

const InterceptedConnection* ConnectionLog::find(const InterceptTarget& target, SteadyTime since) const {
  const auto found = std::find_if(ended_.begin(), ended_.end(), [&](const auto& one) { return meets(one, target, since); });
  return found == ended_.end() ? nullptr : &*found;
}

InterceptedConnection ConnectionLog::none(const InterceptTarget& target, SteadyTime since) const {
  InterceptedConnection answer;
  answer.name = target.server_name;
  answer.aimed_at = {target.address, target.port};
  answer.ended = {real_clock().now(), real_clock().utc_now()};
  answer.outcome = InterceptOutcome::NeverCame;
  answer.cause = "no connection to it came until the deadline";
  const bool goes_on = count_going(target, since) != 0;
  if (!goes_on && counts_.no_longer_kept == 0) return answer;
  answer.outcome = InterceptOutcome::NotJudged;
  answer.cause = goes_on ? "a connection to it went on at the deadline" : "so many connections came that the first are no longer kept";
  return answer;
}

InterceptedConnection ConnectionLog::wait_for(const InterceptTarget& target, Deadline deadline, SteadyTime since) {
  const UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) throw error_from_errno(errno, "interceptor", "wait for a connection");
  {
    const std::scoped_lock lock(mutex_);
    waiters_.insert(wake.get());
  }
  // Before the descriptor goes nobody may wake it any more.
  const std::shared_ptr<void> forget(nullptr, [&](void*) {
    const std::scoped_lock lock(mutex_);
    waiters_.erase(wake.get());
  });
  while (true) {
    {
      const std::scoped_lock lock(mutex_);
      if (const auto* const found = find(target, since)) return *found;
      if (deadline.expired()) return none(target, since);
    }
    if (eventfd_t drained = 0; wait_ready(wake.get(), POLLIN, deadline)) ::eventfd_read(wake.get(), &drained);
  }
}

// With the mutex held. Of one that has only just come nobody knows yet where it wants to go: it may be one of them.
std::size_t ConnectionLog::count_going(const InterceptTarget& target, SteadyTime since) const {
  return static_cast<std::size_t>(std::count_if(going_.begin(), going_.end(), [&](const auto& one) {
    return !one.second || (one.second->accepted >= since && target.met_by(one.second->name, one.second->aimed_at));
  }));
}

std::size_t ConnectionLog::going(const InterceptTarget& target, SteadyTime since) const {
  const std::scoped_lock lock(mutex_);
  return count_going(target, since);
}

std::vector<InterceptedConnection> ConnectionLog::all(const InterceptTarget& target, SteadyTime since) const {
  const std::scoped_lock lock(mutex_);
  std::vector<InterceptedConnection> found;
  for (const auto& one : ended_)
    if (meets(one, target, since)) found.push_back(one);
  return found;
}

InterceptCounts ConnectionLog::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

}  // namespace hilcop
