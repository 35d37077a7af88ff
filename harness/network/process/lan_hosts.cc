// SPDX-License-Identifier: Apache-2.0
#include "network/process/lan_hosts.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

namespace hilcop {

namespace {

using Address6 = std::array<std::uint8_t, 16>;

std::optional<Address6> address6_of(const std::string& text) {
  Address6 address;
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

bool same_bits(const Address6& one, const Address6& other, unsigned bits) {
  for (unsigned bit = 0; bit < std::min(bits, 128U); ++bit)
    if (((one[bit / 8] ^ other[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
  return true;
}

}  // namespace

std::string link_local_of(const std::string& mac) {
  unsigned m[6] = {};
  if (std::sscanf(mac.c_str(), "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6) return "";
  Address6 address{0xfe, 0x80};
  const unsigned last[8] = {m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
  std::copy(std::begin(last), std::end(last), address.begin() + 8);
  char text[INET6_ADDRSTRLEN] = "";
  return ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
}

void LanHosts::set_leases(std::function<Leases()> leases) {
  const std::scoped_lock lock(mutex_);
  leases_ = std::move(leases);
}

void LanHosts::add_subnet(const std::string& subnet) {
  const std::scoped_lock lock(mutex_);
  subnets_.insert(subnet);
}

void LanHosts::add_port(const std::string& device, std::function<std::vector<SeenHost>()> seen) {
  const std::scoped_lock lock(mutex_);
  ports_[device] = std::move(seen);
}

// With the mutex held.
std::vector<SeenHost> LanHosts::seen(const std::string& device) const {
  std::vector<SeenHost> all;
  for (const auto& [name, hosts] : ports_) {
    if (shared_ && !device.empty() && name != device) continue;
    const auto more = hosts();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

// With the mutex held.
bool LanHosts::is_on_the_lan(const std::string& text) const {
  const auto address = address6_of(text);
  if (!address) return false;
  static constexpr Address6 kLinkLocal{0xfe, 0x80};
  const bool of_gateway = std::any_of(subnets_.begin(), subnets_.end(), [&](const std::string& subnet) {
    return address6_of(subnet.substr(0, subnet.find('/'))) == address;
  });
  if (of_gateway) return false;
  if (same_bits(*address, kLinkLocal, 10)) return true;
  return std::any_of(subnets_.begin(), subnets_.end(), [&](const std::string& subnet) {
    const auto slash = subnet.find('/');
    const auto own = address6_of(subnet.substr(0, slash));
    return own && slash != std::string::npos && same_bits(*address, *own, static_cast<unsigned>(std::stoul(subnet.substr(slash + 1))));
  });
}

LanHosts::Leases LanHosts::leases(const std::string& device) const {
  const std::scoped_lock lock(mutex_);
  auto leases = leases_ ? leases_() : Leases{};
  if (!shared_ || device.empty()) return leases;
  const auto own = seen(device);
  std::erase_if(leases, [&](const auto& lease) {
    return std::none_of(own.begin(), own.end(), [&](const SeenHost& host) { return host.mac == lease.first; });
  });
  return leases;
}

std::vector<std::string> LanHosts::addresses(const std::string& device) const {
  std::vector<std::string> found;
  const auto add = [&](std::string address) {
    if (!address.empty() && std::find(found.begin(), found.end(), address) == found.end()) found.push_back(std::move(address));
  };
  for (const auto& [mac, address] : leases(device)) {
    add(address);
    add(link_local_of(mac));
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& host : seen(device))
    for (const auto& address : host.addresses)
      if (is_on_the_lan(address)) add(address);
  return found;
}

}  // namespace hilcop
