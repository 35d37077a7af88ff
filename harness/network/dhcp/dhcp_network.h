// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "network/dhcp/ipv4.h"

namespace hilcop {

/// What a DHCP server gives: one subnet, a pool of it, and where everything is. A value.
struct DhcpNetwork {
  Ipv4 server;       // its server identifier (RFC 2132 9.7): renewals go there, so this host must have the address for them
  int prefix = 24;   // bits of the subnet
  Ipv4 first, last;  // the pool
  std::vector<Ipv4> routers, name_servers, time_servers;
  std::string domain;  // "" for none
  std::chrono::seconds lease{3600};
  bool operator==(const DhcpNetwork&) const = default;

  Ipv4 mask() const;
  /// An address that a host of the subnet can have.
  bool has_host(Ipv4 address) const;
  /// Throws Error{Config} on `object` naming what makes no sense.
  void check(const std::string& object) const;

  static constexpr std::size_t kMostAddresses = 1024, kMostServers = 8, kMostDomain = 100;
};

/// How a DHCP server errs on purpose. Any of them at once. A value.
struct DhcpFaults {
  bool no_answer = false;                           // as if there were none
  bool nak = false;                                 // every REQUEST is refused
  std::optional<std::chrono::seconds> short_lease;  // instead of the network's; renewing at half of it (RFC 2131 4.4.5)
  std::optional<DhcpNetwork> new_subnet;            // this is the network from now on: what is held in the one before is refused
  bool no_gateway = false, no_dns = false;          // these options are left out
  std::optional<DhcpNetwork> second_server;         // another server answers too, with offers of its own
  bool second_server_first = false;                 // its offer comes before ours; most clients take the first
  bool offer_taken_address = false;                 // everybody is offered the address that the server itself has, and gets it
  std::chrono::milliseconds slow{0};                // how much later everything is answered
  bool operator==(const DhcpFaults&) const = default;

  void check(const std::string& object) const;  // as of a network
  static constexpr std::chrono::milliseconds kSlowest{600'000};
};

}  // namespace hilcop
