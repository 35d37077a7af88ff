// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "network/dhcp/dhcp_network.h"

namespace hilcop {

/// Who has which address of a pool. A holder keeps its address, also long after its lease, until the pool has nothing else to give; a new
/// one begins to look at a place that follows from its name, so that it gets the same after a restart of the bench. Memory is that of the
/// pool, whoever asks how often: an offer that nobody took up gives way first. Not thread-safe.
class DhcpLeases {
 public:
  explicit DhcpLeases(const DhcpNetwork& network);

  /// What `holder` would get; `wish` if that is free and it has none. nullopt: all are leased.
  std::optional<Ipv4> offer(const std::string& holder, std::optional<Ipv4> wish, SteadyTime now);
  /// False: it is not of the pool, somebody else's, or the holder was told of another one.
  bool bind(const std::string& holder, Ipv4 address, SteadyTime now, Nanoseconds span);
  bool holds(const std::string& holder, Ipv4 address) const;
  /// It keeps the address for as long as nobody needs it.
  void release(const std::string& holder, SteadyTime now);
  /// Somebody else uses it (RFC 2131 4.3.3): given to nobody for kDeclined. False: it was not the holder's.
  bool decline(const std::string& holder, Ipv4 address, SteadyTime now);

  static constexpr std::chrono::seconds kOffered{30}, kDeclined{600};

 private:
  enum class State { Free, Offered, Bound, Declined };
  struct Place {
    State state = State::Free;
    std::string holder;
    SteadyTime until;
  };

  std::optional<std::size_t> index(Ipv4 address) const;
  std::optional<std::size_t> place_of(const std::string& holder) const;
  std::optional<std::size_t> choose(const std::string& holder, SteadyTime now) const;
  void give(std::size_t at, const std::string& holder, State state, SteadyTime until);

  Ipv4 first_;
  std::vector<Place> places_;
  std::unordered_map<std::string, std::size_t> by_holder_;
};

}  // namespace hilcop
