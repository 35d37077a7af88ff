// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/router_advertisement.h"

#include <arpa/inet.h>

#include <fmt/format.h>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr int kRouterSolicitation = 133, kRouterAdvertisement = 134;
// Options of neighbour discovery, each with its length in units of eight bytes.
constexpr std::uint8_t kSourceLinkLayer = 1, kPrefixInformation = 3, kLinkMtu = 5, kNameServerOption = 25;
constexpr std::chrono::seconds kForeverAdvertised{0xffffffff};

void append_advertised(std::string& packet, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) packet += static_cast<char>(value >> 8 * i & 255);
}

[[noreturn]] void senseless_advertisement(const std::string& object, const std::string& cause, const std::string& remedy) {
  throw Error(ErrorKind::Config, object, cause, remedy);
}

void check_advertised_lifetime(const std::string& object, const char* of, std::chrono::seconds lifetime, std::chrono::seconds most) {
  if (lifetime.count() < 0 || lifetime > most)
    senseless_advertisement(object, fmt::format("{}: a lifetime of {} s", of, lifetime.count()),
                            fmt::format("give 0 to {} s", most.count()));
}

}  // namespace

Ipv6 Ipv6::of(const std::string& text) {
  Ipv6 made;
  if (::inet_pton(AF_INET6, text.c_str(), &made.value) != 1)
    throw Error(ErrorKind::Config, "address '" + text + "'", "is no IPv6 address", "write it as fd77::1");
  return made;
}

std::string Ipv6::text() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET6, &value, text, sizeof text);
  return text;
}

void RouterAdvertisement::check(const std::string& object) const {
  check_advertised_lifetime(object, "router", router_lifetime, std::chrono::seconds(65'535));
  check_advertised_lifetime(object, "name servers", name_server_lifetime, kForeverAdvertised);
  if (hop_limit < 0 || hop_limit > 255) senseless_advertisement(object, fmt::format("a hop limit of {}", hop_limit), "give 0 to 255");
  if (prefixes.size() > kMostPrefixes || name_servers.size() > kMostNameServers)
    senseless_advertisement(object, "more prefixes or name servers than a small network has", "give 8 of each at most");
  if (!link_layer.empty() && link_layer.size() != 6)
    senseless_advertisement(object, fmt::format("a link-layer address of {} bytes", link_layer.size()), "give the 6 of Ethernet");
  for (const auto& prefix : prefixes) {
    if (prefix.length < 1 || prefix.length > 128)
      senseless_advertisement(object, fmt::format("a prefix of {} bits", prefix.length), "give 1 to 128; hosts make addresses of 64");
    check_advertised_lifetime(object, "prefix", prefix.valid, kForeverAdvertised);
    check_advertised_lifetime(object, "prefix", prefix.preferred, prefix.valid);
  }
}

std::string RouterAdvertisement::packet() const {
  std::string made;
  append_advertised(made, kRouterAdvertisement, 1);
  append_advertised(made, 0, 1);
  append_advertised(made, 0, 2);  // the checksum
  append_advertised(made, static_cast<std::uint64_t>(hop_limit), 1);
  append_advertised(made, (managed ? 0x80u : 0u) | (other_config ? 0x40u : 0u), 1);
  append_advertised(made, static_cast<std::uint64_t>(router_lifetime.count()), 2);
  append_advertised(made, 0, 8);  // reachable and retransmission time: not said
  if (!link_layer.empty()) {
    append_advertised(made, kSourceLinkLayer << 8 | 1, 2);
    made += link_layer;
  }
  if (mtu) {
    append_advertised(made, kLinkMtu << 8 | 1, 2);
    append_advertised(made, 0, 2);
    append_advertised(made, *mtu, 4);
  }
  for (const auto& prefix : prefixes) {
    append_advertised(made, kPrefixInformation << 8 | 4, 2);
    append_advertised(made, static_cast<std::uint64_t>(prefix.length), 1);
    append_advertised(made, (prefix.on_link ? 0x80u : 0u) | (prefix.autonomous ? 0x40u : 0u), 1);
    append_advertised(made, static_cast<std::uint64_t>(prefix.valid.count()), 4);
    append_advertised(made, static_cast<std::uint64_t>(prefix.preferred.count()), 4);
    append_advertised(made, 0, 4);
    made += prefix.address.bytes();
  }
  if (!name_servers.empty()) {
    append_advertised(made, kNameServerOption << 8 | (1 + 2 * name_servers.size()), 2);
    append_advertised(made, 0, 2);
    append_advertised(made, static_cast<std::uint64_t>(name_server_lifetime.count()), 4);
    for (const auto& server : name_servers) made += server.bytes();
  }
  return made;
}

RouterSolicitation read_router_solicitation(std::string_view packet, int hop_limit, bool from_nobody) {
  RouterSolicitation read;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(packet[i]); };
  if (hop_limit != 255) return {"", fmt::format("its hop limit is {}, so it may come from another network", hop_limit)};
  if (packet.size() < 8) return {"", fmt::format("{} bytes; a solicitation has 8", packet.size())};
  if (at(0) != kRouterSolicitation || at(1) != 0) return {"", fmt::format("it is of type {}, code {}", at(0), at(1))};
  for (std::size_t i = 8; i < packet.size();) {
    const std::size_t size = i + 1 < packet.size() ? at(i + 1) * 8u : 0;
    if (size == 0 || size > packet.size() - i) return {read.link_layer, "an option has no length, or goes beyond its end"};
    if (at(i) == kSourceLinkLayer) {
      if (from_nobody) return {"", "it gives a link-layer address and has no address"};
      read.link_layer = packet.substr(i + 2, 6);
    }
    i += size;
  }
  return read;
}

}  // namespace hilcop
