// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "network/filter/packet_filter.h"
#include "network/port/links.h"
#include "network/port/routes.h"

namespace hilcop {

/// What the gateway lets pass: nothing to anywhere as it is made; outages, a way out that the lab allows, connections that are caught.
/// Where the kernel has no rules (nf_tables) the network works without, and what needs them is refused with the reason.
class GatewayFilter {
 public:
  /// `addresses_of`: those that a device reaches a host by, whose name or address it is.
  GatewayFilter(const std::string& gateway, Links& links, Routes& routes,
                std::function<std::vector<std::string>(const std::string& name)> addresses_of);

  /// Throws Error{Config} where a subnet of the device's would be the uplink's too. Before it is added anywhere.
  void refuse_overlap(const std::string& subnet) const;
  /// One more subnet of the device: what is in it is no internet.
  void add_lan(const std::string& subnet);
  /// Which TCP ports the bench answers for every host, and which ports the connections to all others come to; 0: they are refused. Throws
  /// Error where they cannot come.
  void serve(std::set<int> ports, int others_ipv4, int others_ipv6);
  /// outage, uplink.attach; nullopt: it is none of its. Throws Error.
  std::optional<nlohmann::json> ask(const std::string& what, const nlohmann::json& how);
  /// Packets by rule; `failure`: why there are no rules.
  nlohmann::json status();

 private:
  void apply(FilterState wanted);
  void set_outage(const nlohmann::json& how);
  void attach_uplink(const nlohmann::json& how);

  Links& links_;
  Routes& routes_;
  std::function<std::vector<std::string>(const std::string&)> addresses_of_;
  FilterState state_;
  std::string uplink_address_;                            // of this side: "192.0.2.10/24"; empty: there is none
  std::map<std::string, std::vector<std::string>> dead_;  // hosts that are, by the name or address that was said
  std::unique_ptr<PacketFilter> filter_;
  std::optional<Error> failure_;
};

}  // namespace hilcop
