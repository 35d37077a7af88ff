// SPDX-License-Identifier: Apache-2.0
#include "network/wire/seen_hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include <fmt/format.h>

namespace hilcop {

namespace {

constexpr std::size_t kHead = 14;  // of Ethernet: both MAC addresses, and what follows
constexpr unsigned kIpv4 = 0x0800, kArp = 0x0806, kIpv6 = 0x86dd;
constexpr std::size_t kIpv6Head = 40, kNeighbourSolicitation = 24;
constexpr std::byte kIcmp6{58}, kSolicitation{135};  // RFC 4861 4.3

bool is_none(std::span<const std::byte> address) {
  return std::all_of(address.begin(), address.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

SeenHosts::Address SeenHosts::speaker(std::span<const std::byte> frame) {
  const auto type = static_cast<unsigned>(frame[12]) << 8 | static_cast<unsigned>(frame[13]);
  const auto packet = frame.subspan(kHead);
  std::span<const std::byte> found;
  if (type == kIpv4 && packet.size() >= 20) found = packet.subspan(12, 4);
  if (type == kArp && packet.size() >= 28) found = packet.subspan(14, 4);
  if (type == kIpv6 && packet.size() >= kIpv6Head) {
    found = packet.subspan(8, 16);
    if (is_none(found) && packet[6] == kIcmp6 && packet.size() >= kIpv6Head + kNeighbourSolicitation && packet[kIpv6Head] == kSolicitation)
      found = packet.subspan(kIpv6Head + 8, 16);
  }
  Address made;
  if (found.empty() || is_none(found)) return made;
  made.size = static_cast<std::uint8_t>(found.size());
  std::copy(found.begin(), found.end(), made.bytes.begin());
  return made;
}

void SeenHosts::see(std::span<const std::byte> frame) {
  if (frame.size() < kHead || (frame[6] & std::byte{1}) != std::byte{0}) return;  // a group is no sender
  Mac mac;
  std::copy_n(frame.begin() + 6, mac.size(), mac.begin());
  const auto address = speaker(frame);
  if (mac == last_ && (address.size == 0 || address == last_address_)) return;
  last_ = mac, last_address_ = address;
  if (!hosts_.contains(mac) && hosts_.size() >= kMost) return void(++left_out_);
  auto& addresses = hosts_[mac];
  if (address.size == 0 || addresses.contains(address)) return;
  if (addresses.size() >= kMost) return void(++left_out_);
  addresses.insert(address);
}

std::vector<SeenHost> SeenHosts::all() const {
  std::vector<SeenHost> all;
  for (const auto& [mac, addresses] : hosts_) {
    SeenHost host{fmt::format("{:02x}", fmt::join(mac.begin(), mac.end(), ":")), {}};
    for (const auto& address : addresses) {
      char text[INET6_ADDRSTRLEN] = "";
      host.addresses.emplace_back(::inet_ntop(address.size == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text));
    }
    all.push_back(std::move(host));
  }
  return all;
}

}  // namespace hilcop
