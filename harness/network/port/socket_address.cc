// SPDX-License-Identifier: Apache-2.0
#include "network/port/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include "base/error.h"

namespace hilcop {

namespace {

const sockaddr_in& v4_of(const SocketAddress& address) { return reinterpret_cast<const sockaddr_in&>(address.storage); }
const sockaddr_in6& v6_of(const SocketAddress& address) { return reinterpret_cast<const sockaddr_in6&>(address.storage); }

}  // namespace

SocketAddress socket_address(const std::string& address, int port, const std::string& interface) {
  if (port < 0 || port > 65535) throw Error(ErrorKind::Config, "bench network", std::to_string(port) + " is no port", "give 1 to 65535");
  SocketAddress result;
  const auto number = htons(static_cast<std::uint16_t>(port));
  auto& v4 = reinterpret_cast<sockaddr_in&>(result.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(result.storage);
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = number;
    result.size = sizeof v4;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = number;
    if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) v6.sin6_scope_id = ::if_nametoindex(interface.c_str());
    result.size = sizeof v6;
  } else {
    throw Error(ErrorKind::Config, "bench network", "'" + address + "' is no address of IPv4 or IPv6",
                "give the device's own (network.dhcp)");
  }
  return result;
}

SocketAddress with_port(const SocketAddress& address, int port) {
  auto result = address;
  auto& number = address.family() == AF_INET ? reinterpret_cast<sockaddr_in&>(result.storage).sin_port
                                             : reinterpret_cast<sockaddr_in6&>(result.storage).sin6_port;
  number = htons(static_cast<std::uint16_t>(port));
  return result;
}

std::string address_text(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  const void* bytes = address.family() == AF_INET ? static_cast<const void*>(&v4_of(address).sin_addr) : &v6_of(address).sin6_addr;
  ::inet_ntop(address.family(), bytes, text, sizeof text);
  return text;
}

int port_of(const SocketAddress& address) {
  return ntohs(address.family() == AF_INET ? v4_of(address).sin_port : v6_of(address).sin6_port);
}

}  // namespace hilcop
