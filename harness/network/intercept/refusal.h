// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include <netinet/in.h>

#include "io/unique_fd.h"

namespace hilcop {

/// Tells a client that nobody listens at the port that it sent a datagram to, in the name of the host that it meant: what that host's
/// kernel would say (RFC 792, RFC 4443 3.1). This host's own says nothing for an address that is not its own.
struct Refusal {
  UniqueFd ipv4, ipv6;  // unreachable_socket()
  int silent_port = 0;  // UDP, whose clients are told nothing; 0: none

  /// `packet`: as it came, from the IP header on. Never blocks; what the kernel does not take is lost, as on any network.
  void tell_ipv4(std::span<const std::byte> packet) const;
  /// `udp`: as it came, from the UDP header on.
  void tell_ipv6(const in6_addr& client, const in6_addr& meant, std::span<const std::byte> udp) const;
};

/// The packets that they send, for tests.
std::string unreachable_ipv4(std::span<const std::byte> packet);
std::string unreachable_ipv6(const in6_addr& client, const in6_addr& meant, std::span<const std::byte> udp);

}  // namespace hilcop
