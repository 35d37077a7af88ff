// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "network/dhcp/dhcp_server.h"
#include "network/dhcp/router_advertiser.h"
#include "network/process/outbox.h"
#include "network/services/dns_server.h"
#include "network/services/ntp_server.h"

namespace hilcop {

/// Addresses, names and time for whatever hangs on the gateway: DHCP, router advertisements, DNS and NTP, at every address that is asked.
/// All that is asked of them is an event: dhcp, router, dns, ntp.
class GatewayServices {
 public:
  /// `interface` is up and has both addresses ("10.77.0.1/24", "fd77::1/64"). Throws Error.
  /// `add_address`: gives the interface one more ("10.78.0.1/24"), for devices that are moved to another subnet.
  GatewayServices(const std::string& interface, const std::string& address, const std::string& address6,
                  std::function<void(const std::string&)> add_address, Outbox& outbox);
  ~GatewayServices();

  /// nullopt: it is none of theirs.
  std::optional<nlohmann::json> ask(const std::string& what, const nlohmann::json& how);
  /// Counts, `leases` (MAC: address), and what does not serve any more (`failures`): who judges by what was not asked must look.
  nlohmann::json status() const;
  /// MAC: address that was acknowledged last. Thread-safe.
  std::map<std::string, std::string> leases() const;
  /// That a device reaches a host by: those that its name is given out with, by its rule or else its own, asked for yet or not; or the one
  /// that `host` is. Throws Error{Config} where it is neither.
  std::vector<std::string> addresses_of(const std::string& host);
  /// The name that was given out for an address; "": none.
  std::string name_of(const std::string& address) const;

 private:
  void heard(const DhcpReport& report);
  void set_dhcp(const nlohmann::json& how);
  void set_ntp(const nlohmann::json& how);

  DhcpNetwork network_;
  std::function<void(const std::string&)> add_address_;
  services::DnsNames names_;
  mutable std::mutex leases_mutex_;
  std::map<std::string, std::string> leases_;  // MAC: address that was acknowledged; as many as the pool has
  std::unique_ptr<DhcpServer> dhcp_;
  std::unique_ptr<RouterAdvertiser> router_;
  std::unique_ptr<services::DnsServer> dns_;
  std::vector<std::unique_ptr<services::NtpServer>> ntp_;  // IPv4 and IPv6
};

}  // namespace hilcop
