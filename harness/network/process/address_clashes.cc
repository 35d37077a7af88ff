// SPDX-License-Identifier: Apache-2.0
#include "network/process/address_clashes.h"

#include <algorithm>

#include "base/clock.h"

namespace hilcop {

namespace {

constexpr std::size_t kMostClashes = 16;  // that are told: a device may make them up

}  // namespace

AddressClashes::AddressClashes(const std::string& interface, std::string mac, Outbox& outbox)
    : mac_(std::move(mac)), outbox_(outbox), watch_(interface, [this](const auto& address, const auto& from) { claimed(address, from); }) {}

void AddressClashes::add_address(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  ours_.insert(address.substr(0, address.find('/')));
}

void AddressClashes::claimed(const std::string& address, const std::string& mac) {
  {
    const std::scoped_lock lock(mutex_);
    const std::pair claim(address, mac);
    if (mac == mac_ || !ours_.contains(address) || found_.size() >= kMostClashes || std::ranges::find(found_, claim) != found_.end())
      return;
    found_.push_back(claim);
  }
  outbox_.event("clash", real_clock().now(), real_clock().utc_now(), {{"address", address}, {"mac", mac}});
}

nlohmann::json AddressClashes::status() const {
  const std::scoped_lock lock(mutex_);
  auto list = nlohmann::json::array();
  for (const auto& [address, mac] : found_) list.push_back({{"address", address}, {"mac", mac}});
  return list;
}

}  // namespace hilcop
