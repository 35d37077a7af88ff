// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hilcop::services {

/// An address of IPv4 or IPv6. An IPv4 address that IPv6 carries (::ffff:a.b.c.d) is the IPv4 address.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::uint32_t value);
  /// In network byte order, 4 or 16 bytes; others are none.
  static std::optional<IpAddress> of_bytes(std::string_view bytes);
  /// "198.18.0.1", "fd77::1". Throws Error{Config}.
  static IpAddress of(const std::string& text);

  bool is_v4() const { return v4_; }
  std::uint32_t v4_value() const;  // of an IPv4 address
  std::string_view bytes() const;  // in network byte order; live as long as this
  std::string text() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v4_ = true;
  std::array<char, 16> bytes_{};
};

/// Where a socket is, or was aimed at.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  /// Of anything but IPv4 and IPv6: 0.0.0.0:0.
  static Endpoint of(const sockaddr_storage& address);
  std::string text() const;  // "10.77.0.2:53", "[fd77::1]:53"
  auto operator<=>(const Endpoint&) const = default;
};

/// Of the socket itself. Throws Error{Config} on `object`: it is none, or bound to nothing.
Endpoint local_endpoint(int fd, const std::string& object);

}  // namespace hilcop::services
