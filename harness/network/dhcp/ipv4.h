// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace hilcop {

/// An IPv4 address, or a mask. A value.
struct Ipv4 {
  std::uint32_t value = 0;  // of this host's byte order: 10.77.0.1 is 0x0a4d0001

  /// "10.77.0.1". Throws Error{Config}.
  static Ipv4 of(const std::string& text);
  /// Of four bytes in network order; whoever calls has counted them.
  static Ipv4 of_bytes(std::string_view bytes);
  std::string text() const;
  std::string bytes() const;  // four, in network order
  bool operator==(const Ipv4&) const = default;
  auto operator<=>(const Ipv4& other) const { return value <=> other.value; }
};

}  // namespace hilcop
