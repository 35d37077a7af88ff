// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>

#include "network/analysis/bytes.h"

namespace hilcop::analysis {

/// An IPv4 or an IPv6 address, or none.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t size = 0;  // 4, 16; 0: none

  /// Of 4 or 16 bytes; none of any other count.
  static IpAddress of(Bytes bytes);
  bool multicast() const { return size == 4 ? bytes[0] >= 224 : size == 16 && bytes[0] == 0xff; }  // broadcast too
  /// "192.0.2.1", "fe80::1" (RFC 5952)
  std::string text() const;
  auto operator<=>(const IpAddress&) const = default;  // NOLINT(modernize-use-nullptr): of a comparison with 0 that nobody wrote
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::string text() const;  // "192.0.2.1:80", "[fe80::1]:80"
  auto operator<=>(const Endpoint&) const = default;
};

/// Both ends and the protocol's number: what belongs together on a network.
struct FiveTuple {
  Endpoint one, other;
  std::uint8_t protocol = 0;
  bool operator==(const FiveTuple&) const = default;
  FiveTuple turned() const { return {other, one, protocol}; }
};

struct FiveTupleHash {
  std::size_t operator()(const FiveTuple& tuple) const noexcept {
    const auto one = half(tuple.one), other = half(tuple.other);
    return one * 0x9e3779b97f4a7c15u ^ (other * 0xc2b2ae3d27d4eb4fu + tuple.protocol) ^ one >> 29;
  }

 private:
  static std::uint64_t half(const Endpoint& end) {
    std::uint64_t high, low;
    std::memcpy(&high, end.address.bytes.data(), 8);
    std::memcpy(&low, end.address.bytes.data() + 8, 8);
    std::uint64_t mixed = (high ^ low * 0xff51afd7ed558ccdu ^ end.port) * 0xc4ceb9fe1a85ec53u;
    return mixed ^ mixed >> 32;
  }
};

/// Bytes that stand together in one frame of a capture.
struct Place {
  std::uint64_t frame = 0;        // from 1, as Wireshark counts
  std::uint64_t file_offset = 0;  // of the first in the capture file
  std::uint32_t offset = 0;       // of the first in the frame
  std::uint32_t size = 0;
  bool operator==(const Place&) const = default;
  Place part(std::size_t from, std::size_t count) const {
    return {frame, file_offset + from, static_cast<std::uint32_t>(offset + from), static_cast<std::uint32_t>(count)};
  }
};

}  // namespace hilcop::analysis
