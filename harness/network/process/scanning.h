// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/deadline.h"
#include "network/process/lan_hosts.h"
#include "network/process/outbox.h"
#include "network/scan/port_watch.h"

namespace hilcop {

/// The device's ports asked by name (docs/protocol.md): all of TCP, known services of UDP, and a few again and again while it boots. A
/// scan that begins and a watched port that changes are events: scan, port. One scan at a time, for two would disturb each other.
class Scanning {
 public:
  /// `hosts` outlives it.
  Scanning(std::string interface, const LanHosts& hosts, Outbox& outbox);

  /// Of these three, one at a time; Error{Busy} otherwise. Thread-safe; block until the scan is through or its own limit (`limit_s`).
  nlohmann::json tcp(const nlohmann::json& how);
  nlohmann::json udp(const nlohmann::json& how);
  /// A program of others (tools.h) against it.
  nlohmann::json tool(const nlohmann::json& how);

  /// Whichever addresses the device has at the time (LanHosts), those of IPv6 among them; or those that are given.
  void watch(const nlohmann::json& how);
  nlohmann::json watched() const;
  /// The same, for the last time.
  nlohmann::json stop_watching();

 private:
  class Turn;
  std::string address_of(const nlohmann::json& how) const;
  const PortWatch& watching() const;

  std::string interface_;
  const LanHosts& hosts_;
  Outbox& outbox_;
  std::atomic<bool> scanning_ = false;
  std::unique_ptr<PortWatch> watch_;
};

}  // namespace hilcop
