// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/ipv4.h"

#include <arpa/inet.h>

#include <fmt/format.h>

#include "base/error.h"

namespace hilcop {

Ipv4 Ipv4::of(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1)
    throw Error(ErrorKind::Config, "address '" + text + "'", "is no IPv4 address", "write it as 10.77.0.1");
  return {ntohl(address.s_addr)};
}

Ipv4 Ipv4::of_bytes(std::string_view bytes) {
  Ipv4 made;
  for (const char byte : bytes.substr(0, 4)) made.value = made.value << 8 | static_cast<unsigned char>(byte);
  return made;
}

std::string Ipv4::text() const { return fmt::format("{}.{}.{}.{}", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255); }

std::string Ipv4::bytes() const {
  std::string made;
  for (int shift = 24; shift >= 0; shift -= 8) made += static_cast<char>(value >> shift & 255);
  return made;
}

}  // namespace hilcop
