// SPDX-License-Identifier: Apache-2.0
#include "network/services/dns_names.h"

namespace hilcop::services {
namespace {

constexpr std::uint32_t kNet = 198u << 24 | 18u << 16;
constexpr std::string_view kPrefix("\xfd\x77\x01\x98\x00\x18\0\0\0\0\0\0", 12);

IpAddress of_whole(const std::string& bytes) { return IpAddress::of_bytes(bytes).value_or(IpAddress()); }

}  // namespace

std::optional<DnsNames::Addresses> DnsNames::addresses(const DnsName& name) {
  const std::scoped_lock lock(mutex_);
  auto folded = name.folded();
  auto found = numbers_.find(folded);
  if (found == numbers_.end()) {
    if (names_.size() >= most_) {
      ++exhausted_;
      return std::nullopt;
    }
    found = numbers_.emplace(std::move(folded), static_cast<std::uint32_t>(names_.size())).first;
    names_.push_back(&found->first);
  }
  Addresses made;
  made.v4 = IpAddress::v4(kNet + 1 + found->second);
  made.v6 = of_whole(std::string(kPrefix) + std::string(made.v4.bytes()));
  return made;
}

std::optional<std::string> DnsNames::name_of(const IpAddress& address) const {
  auto v4 = address;
  if (!address.is_v4()) {
    if (!address.bytes().starts_with(kPrefix)) return std::nullopt;
    v4 = of_whole(std::string(address.bytes().substr(kPrefix.size())));
  }
  const std::scoped_lock lock(mutex_);
  const std::uint32_t number = v4.v4_value() - kNet - 1;  // wraps around below the net
  if (number >= names_.size()) return std::nullopt;
  return DnsName::of_wire(*names_[number]).text();
}

std::size_t DnsNames::size() const {
  const std::scoped_lock lock(mutex_);
  return names_.size();
}

std::uint64_t DnsNames::exhausted() const {
  const std::scoped_lock lock(mutex_);
  return exhausted_;
}

}  // namespace hilcop::services
