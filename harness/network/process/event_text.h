// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include <nlohmann/json.hpp>

namespace hilcop {

/// What happened, for people: "dns", "cloud.example A: 198.18.0.1". Its text may have bytes that a device chose: none of it is meant for
/// a terminal as it is.
struct EventText {
  std::string about, text;
  bool bad = false;  // what a check would look at: a broken message, data sent to who is not whom the device wanted
};

/// Tells what a bench network says by itself (docs/protocol.md). Remembers which names were given out for which addresses, of the latest
/// kMostNames, so that who asks by an address is shown with its name. Not thread-safe.
class EventTexts {
 public:
  static constexpr std::size_t kMostNames = 10'000;

  /// `kind`: "dhcp", "dns", "tls" and so on. Never throws for data of another shape: it is shown as it is.
  EventText of(const std::string& kind, const nlohmann::json& data);

 private:
  EventText dns(const nlohmann::json& data);
  EventText ntp(const nlohmann::json& data) const;
  std::string named(const std::string& endpoint) const;
  std::map<std::string, std::string> names_;  // address: name
};

/// What `status` tells, as lines of two columns that each begin with two spaces: addresses, cable, leases, counts, captures, failures.
std::string network_status_text(const nlohmann::json& status);

}  // namespace hilcop
