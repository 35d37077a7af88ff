// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "network/intercept/interceptor.h"

namespace hilcop {

/// The connections of an interceptor that go on, and those that ended. Thread-safe.
class ConnectionLog {
 public:
  static constexpr std::size_t kMostRecords = 4096, kMostData = 16u << 20;

  void came(std::uint64_t number);
  void turned_away() { count(&InterceptCounts::turned_away); }
  void accept_failed() { count(&InterceptCounts::accept_failures); }
  /// Where it wants to go is known now.
  void aims(const InterceptedConnection& connection);
  void ended(InterceptedConnection connection);

  /// As Interceptor::wait_for.
  InterceptedConnection wait_for(const InterceptTarget& target, Deadline deadline, SteadyTime since);
  std::vector<InterceptedConnection> all(const InterceptTarget& target, SteadyTime since) const;
  /// As Interceptor::going.
  std::size_t going(const InterceptTarget& target, SteadyTime since) const;
  InterceptCounts counts() const;

 private:
  struct Going {
    std::string name;
    TcpAddress aimed_at;
    SteadyTime accepted;
  };
  void count(std::uint64_t InterceptCounts::*which);
  const InterceptedConnection* find(const InterceptTarget& target, SteadyTime since) const;
  InterceptedConnection none(const InterceptTarget& target, SteadyTime since) const;
  std::size_t count_going(const InterceptTarget& target, SteadyTime since) const;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::optional<Going>> going_;
  std::deque<InterceptedConnection> ended_;
  std::size_t data_ = 0;
  InterceptCounts counts_;
  std::set<int> waiters_;  // descriptors that wake who waits
};

}  // namespace hilcop
