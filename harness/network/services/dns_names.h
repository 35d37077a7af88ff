// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "network/services/dns_name.h"
#include "network/services/endpoint.h"

namespace hilcop::services {

/// One address for each name that a device asks for: 198.18.0.1 for the first (RFC 2544's 198.18.0.0/15), 198.18.0.2 for the second; and
/// over IPv6 fd77:198:18::c612:1, whose last four bytes are those of the IPv4 address. Whoever sees a packet to such an address knows the
/// name that it is for. An address stays its name's as long as this lives. Memory: at most some 350 bytes for each name. Thread-safe.
class DnsNames {
 public:
  /// No more than kMost names.
  explicit DnsNames(std::size_t most = kMost) : most_(most < kMost ? most : kMost) {}

  struct Addresses {
    IpAddress v4, v6;
  };
  /// Nothing: no address is left, and exhausted() counts that.
  std::optional<Addresses> addresses(const DnsName& name);
  /// In lower case; nothing where the address is nobody's.
  std::optional<std::string> name_of(const IpAddress& address) const;
  std::size_t size() const;
  std::uint64_t exhausted() const;

  static constexpr std::size_t kMost = 131'000;

 private:
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  // by folded name; its keys stay where they are
  std::vector<const std::string*> names_;
  std::uint64_t exhausted_ = 0;
};

}  // namespace hilcop::services
