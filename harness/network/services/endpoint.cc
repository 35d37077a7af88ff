// SPDX-License-Identifier: Apache-2.0
#include "network/services/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace hilcop::services {
namespace {

constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);  // RFC 4291 2.5.5.2

}  // namespace

IpAddress IpAddress::v4(std::uint32_t value) {
  IpAddress made;
  for (std::size_t i = 0; i < 4; ++i) made.bytes_[i] = static_cast<char>(value >> (24 - 8 * i));
  return made;
}

std::optional<IpAddress> IpAddress::of_bytes(std::string_view bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  if (bytes.size() == 16 && bytes.starts_with(kMapped)) bytes.remove_prefix(12);
  IpAddress made;
  made.v4_ = bytes.size() == 4;
  std::copy(bytes.begin(), bytes.end(), made.bytes_.begin());
  return made;
}

IpAddress IpAddress::of(const std::string& text) {
  std::array<char, 16> bytes{};
  for (const auto& [family, size] : {std::pair{AF_INET, 4}, {AF_INET6, 16}})
    if (::inet_pton(family, text.c_str(), bytes.data()) == 1)
      if (const auto made = of_bytes({bytes.data(), static_cast<std::size_t>(size)})) return *made;
  throw Error(ErrorKind::Config, "address '" + text + "'", "is no IP address", "write it like 198.18.0.1 or fd77::1");
}

std::uint32_t IpAddress::v4_value() const {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes_[i]);
  return value;
}

std::string_view IpAddress::bytes() const { return {bytes_.data(), v4_ ? 4u : 16u}; }

std::string IpAddress::text() const {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

Endpoint Endpoint::of(const sockaddr_storage& address) {
  Endpoint made;
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    made = {IpAddress::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
  } else if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    made.port = ntohs(in.sin6_port);
    if (const auto found = IpAddress::of_bytes({reinterpret_cast<const char*>(&in.sin6_addr), 16})) made.address = *found;
  }
  return made;
}

std::string Endpoint::text() const {
  const auto host = address.is_v4() ? address.text() : "[" + address.text() + "]";
  return host + ":" + std::to_string(port);
}

Endpoint local_endpoint(int fd, const std::string& object) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw Error(ErrorKind::Config, object, std::string("was given what is no socket: ") + std::strerror(errno), "hand it a bound socket");
  const auto found = Endpoint::of(address);
  if (found.port == 0) throw Error(ErrorKind::Config, object, "was given a socket without a port", "bind it before");
  return found;
}

}  // namespace hilcop::services
