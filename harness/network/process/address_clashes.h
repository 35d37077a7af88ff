// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "network/port/arp_watch.h"
#include "network/process/outbox.h"

namespace hilcop {

/// Devices that say that an address of the gateway's is theirs: what is sent there may reach them instead of the bench. Each is an event
/// once: clash.
class AddressClashes {
 public:
  AddressClashes(const std::string& interface, std::string mac, Outbox& outbox);
  /// One more of the gateway's, "10.78.0.1/24"; thread-safe, as status() is.
  void add_address(const std::string& address);
  /// [{"address", "mac"}], 16 at most.
  nlohmann::json status() const;

 private:
  void claimed(const std::string& address, const std::string& mac);

  const std::string mac_;
  Outbox& outbox_;
  mutable std::mutex mutex_;
  std::set<std::string> ours_;
  std::vector<std::pair<std::string, std::string>> found_;
  ArpWatch watch_;  // the last: it calls
};

}  // namespace hilcop
