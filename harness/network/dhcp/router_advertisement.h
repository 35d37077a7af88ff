// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <netinet/in.h>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hilcop {

/// An IPv6 address. A value.
struct Ipv6 {
  in6_addr value{};

  /// "fd77::1". Throws Error{Config}.
  static Ipv6 of(const std::string& text);
  std::string text() const;
  std::string_view bytes() const { return {reinterpret_cast<const char*>(value.s6_addr), sizeof value.s6_addr}; }
  bool operator==(const Ipv6& other) const { return bytes() == other.bytes(); }
};

/// A prefix that hosts may make addresses of (RFC 4861 4.6.2). preferred 0: they are to use those that they have of it no more for new
/// connections; valid 0: nor for others (a host may keep them for 2 h, RFC 4862 5.5.3).
struct AdvertisedPrefix {
  Ipv6 address;
  int length = 64;
  std::chrono::seconds valid{86'400}, preferred{14'400};
  bool on_link = true, autonomous = true;
  bool operator==(const AdvertisedPrefix&) const = default;
};

/// What a router says of itself (RFC 4861 4.2) and of the name servers (RFC 8106 5.1). A value.
struct RouterAdvertisement {
  std::chrono::seconds router_lifetime{1800};  // 0: it is no default router
  int hop_limit = 64;                          // 0: not said
  bool managed = false, other_config = false;  // addresses, or other things, are to be had by DHCPv6
  std::vector<AdvertisedPrefix> prefixes;
  std::vector<Ipv6> name_servers;
  std::chrono::seconds name_server_lifetime{1800};
  std::optional<std::uint32_t> mtu;
  std::string link_layer;  // six bytes of its Ethernet address, or ""
  bool operator==(const RouterAdvertisement&) const = default;

  /// Throws Error{Config} on `object` naming what makes no sense.
  void check(const std::string& object) const;
  /// ICMPv6 for a raw socket: the kernel reckons its checksum.
  std::string packet() const;

  static constexpr std::size_t kMostPrefixes = 8, kMostNameServers = 8;
};

struct RouterSolicitation {
  std::string link_layer;  // of the sender, where it says so
  std::string fault;       // why it is none; "": it is one
};

/// Any bytes of ICMPv6, without the IPv6 header (RFC 4861 6.1.1). `from_nobody`: its source is the unspecified address.
RouterSolicitation read_router_solicitation(std::string_view packet, int hop_limit, bool from_nobody);

}  // namespace hilcop
