// SPDX-License-Identifier: Apache-2.0
#include "io/network_interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include <algorithm>
#include <bit>
#include <map>
#include <memory>

namespace hilcop {
namespace {

namespace fs = std::filesystem;

template <typename Address>
std::string text_of(int family, const Address& address, const Address& mask) {
  char text[INET6_ADDRSTRLEN];
  if (::inet_ntop(family, &address, text, sizeof text) == nullptr) return "";
  int bits = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(&mask);
  for (std::size_t i = 0; i < sizeof mask; ++i) bits += std::popcount(bytes[i]);
  return std::string(text) + "/" + std::to_string(bits);
}

std::string text_of(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr || entry.ifa_netmask == nullptr) return "";
  const int family = entry.ifa_addr->sa_family;
  if (family == AF_INET)
    return text_of(family, reinterpret_cast<const sockaddr_in*>(entry.ifa_addr)->sin_addr,
                   reinterpret_cast<const sockaddr_in*>(entry.ifa_netmask)->sin_addr);
  if (family == AF_INET6)
    return text_of(family, reinterpret_cast<const sockaddr_in6*>(entry.ifa_addr)->sin6_addr,
                   reinterpret_cast<const sockaddr_in6*>(entry.ifa_netmask)->sin6_addr);
  return "";
}

std::multimap<std::string, std::string> all_addresses() {
  std::multimap<std::string, std::string> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next)
    if (const auto text = text_of(*entry); !text.empty()) found.emplace(entry->ifa_name, text);
  return found;
}

}  // namespace

std::vector<NetworkInterface> network_interfaces(const DeviceTree& tree) {
  const auto addresses = all_addresses();
  std::vector<NetworkInterface> interfaces;
  std::error_code none;
  for (fs::directory_iterator entry(tree.sys / "class/net", none), end; !none && entry != end; entry.increment(none)) {
    const fs::path directory = entry->path();
    std::error_code gone;
    if (!fs::exists(directory / "flags", gone)) continue;  // "bonding_masters" is a file among them
    NetworkInterface one;
    one.name = directory.filename();
    one.mac = sysfs_text(directory / "address");
    if (one.mac.find_first_not_of("0:") == std::string::npos) one.mac.clear();
    one.hardware = fs::exists(directory / "device", gone);
    one.driver = link_name(directory / "device/driver");
    one.wireless = fs::exists(directory / "phy80211", gone) || fs::exists(directory / "wireless", gone);
    if (one.hardware) one.usb = usb_identity_of(directory / "device", tree);
    one.up = (sysfs_number(directory / "flags", 16).value_or(0) & IFF_UP) != 0;
    if (const auto carrier = sysfs_number(directory / "carrier")) one.carrier = *carrier != 0;
    const auto [begin, stop] = addresses.equal_range(one.name);
    for (auto at = begin; at != stop; ++at) one.addresses.push_back(at->second);
    interfaces.push_back(std::move(one));
  }
  std::sort(interfaces.begin(), interfaces.end(),
            [](const NetworkInterface& a, const NetworkInterface& b) { return ::strverscmp(a.name.c_str(), b.name.c_str()) < 0; });
  return interfaces;
}

}  // namespace hilcop
