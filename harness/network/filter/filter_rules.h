// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace hilcop {

/// One way out that a lab allows: to this IPv4 address and port, no other.
struct ForwardRule {
  std::string address;
  std::uint16_t port = 0;
  std::string protocol = "tcp";  // or "udp"
  bool operator==(const ForwardRule&) const = default;
};

/// What the gateway lets pass. As it is made: all that the device sends to the gateway itself or to any address comes to the bench, and
/// nothing is forwarded.
struct FilterState {
  std::string gateway;         // the interface
  std::set<std::string> lans;  // of the device: "10.77.0.0/24", "fd77::/64"
  bool gateway_dead = false;   // nothing comes from the gateway, nor to it, address resolution included
  bool internet_dead = false;  // nothing that is beyond the LANs comes or goes
  std::set<std::string> dead_hosts;
  std::set<int> served{53};  // TCP ports that the bench answers for every host
  // TCP ports where connections to all other ports of every host beyond the LANs come to; 0: they are refused (RST), which this kernel
  // would not do by itself for an address that is none of its own.
  int catch_ipv4 = 0, catch_ipv6 = 0;
  std::string uplink;  // the interface; empty: there is none
  std::vector<ForwardRule> allowed;
};

/// The counters of the rules, by which it is seen that they were met.
inline constexpr const char *kForwarded = "forwarded", *kForwardDropped = "forward_dropped", *kUplinkRefused = "uplink_refused",
                            *kUplinkOwn = "uplink_own_dropped", *kDeadHost = "dead_host", *kDeadInternet = "dead_internet",
                            *kCaught = "caught", *kUplinkFlood = "uplink_flood";

/// As nft(8) reads it: replaces all rules of a state before, keeps the counters. Throws Error{Config} for an address, a port or an
/// interface that is none.
std::string ruleset_of(const FilterState& state);

}  // namespace hilcop
