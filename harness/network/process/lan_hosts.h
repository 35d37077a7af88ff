// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "network/wire/seen_hosts.h"

namespace hilcop {

/// The address that an interface gives itself by its MAC (RFC 4291, appendix A); empty: that is no MAC.
std::string link_local_of(const std::string& mac);

/// Where the devices of a network are reached: what they were given (leases), and what they speak as, each at its own port. Thread-safe.
class LanHosts {
 public:
  using Leases = std::map<std::string, std::string>;  // MAC to IPv4 address
  explicit LanHosts(bool shared) : shared_(shared) {}

  /// Who is asked for the leases; until then there are none.
  void set_leases(std::function<Leases()> leases);
  /// A subnet of the gateway's, with its address there: "10.77.0.1/24", "fd77::1/64". Beyond them nobody is reached but by link-local
  /// addresses; and whoever speaks as the gateway is not asked there, for that would be the bench itself.
  void add_subnet(const std::string& subnet);
  void add_port(const std::string& device, std::function<std::vector<SeenHost>()> seen);

  /// `device`: whose port, on a network that several share; "": of all of them.
  Leases leases(const std::string& device) const;
  /// The same addresses, and those of IPv6: that were seen, and link_local_of() of the leases' MACs.
  std::vector<std::string> addresses(const std::string& device) const;

 private:
  std::vector<SeenHost> seen(const std::string& device) const;
  bool is_on_the_lan(const std::string& address6) const;

  const bool shared_;
  mutable std::mutex mutex_;
  std::function<Leases()> leases_;
  std::set<std::string> subnets_;
  std::map<std::string, std::function<std::vector<SeenHost>()>> ports_;
};

}  // namespace hilcop
