// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace hilcop {

/// One MAC address behind a port, and the IP addresses that it has spoken as ("10.77.0.100", "fe80::1"), however it came to them.
struct SeenHost {
  std::string mac;
  std::vector<std::string> addresses;
};

/// Who speaks on a wire, by the frames that come from there: source addresses of IPv4 and IPv6, senders of ARP, and addresses that a host
/// asks whether they are free before it takes them (RFC 4862 5.4). A flood of invented ones is bounded. Not thread-safe.
class SeenHosts {
 public:
  static constexpr std::size_t kMost = 64;  // hosts; of each as many addresses

  void see(std::span<const std::byte> frame);
  std::vector<SeenHost> all() const;
  /// Frames of those that are not among them: there were too many.
  std::uint64_t left_out() const { return left_out_; }

 private:
  using Mac = std::array<std::byte, 6>;
  struct Address {
    std::array<std::byte, 16> bytes{};
    std::uint8_t size = 0;                             // 4, 16; 0: none
    auto operator<=>(const Address&) const = default;  // NOLINT(modernize-use-nullptr): of a comparison with 0 that nobody wrote
  };
  static Address speaker(std::span<const std::byte> frame);
  std::map<Mac, std::set<Address>> hosts_;
  Mac last_{};
  Address last_address_;  // most frames come from whom the last one came from
  std::uint64_t left_out_ = 0;
};

}  // namespace hilcop
