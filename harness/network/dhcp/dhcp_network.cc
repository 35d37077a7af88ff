// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/dhcp_network.h"

#include <limits>

#include <fmt/format.h>

#include "base/error.h"

namespace hilcop {
namespace {

[[noreturn]] void senseless_dhcp(const std::string& object, const std::string& cause, const std::string& remedy) {
  throw Error(ErrorKind::Config, object, cause, remedy);
}

void check_dhcp_lease(const std::string& object, std::chrono::seconds lease) {
  if (lease.count() < 1 || lease.count() > std::numeric_limits<std::uint32_t>::max())
    senseless_dhcp(object, fmt::format("a lease of {} s", lease.count()), "give 1 to 4294967295 s");
}

}  // namespace

Ipv4 DhcpNetwork::mask() const { return {prefix <= 0 ? 0 : ~std::uint32_t{0} << (32 - std::min(prefix, 32))}; }

bool DhcpNetwork::has_host(Ipv4 address) const {
  const auto host = address.value & ~mask().value;
  return ((address.value ^ server.value) & mask().value) == 0 && host != 0 && host != ~mask().value;
}

void DhcpNetwork::check(const std::string& object) const {
  if (prefix < 8 || prefix > 30) senseless_dhcp(object, fmt::format("a subnet of {} bits", prefix), "give 8 to 30");
  for (const auto address : {server, first, last})
    if (!has_host(address))
      senseless_dhcp(object, fmt::format("{} is no host of {}/{}", address.text(), Ipv4{server.value & mask().value}.text(), prefix),
                     "the server and the pool are to lie in one subnet");
  if (first > last || last.value - first.value >= kMostAddresses)
    senseless_dhcp(object, fmt::format("a pool from {} to {}", first.text(), last.text()),
                   fmt::format("give 1 to {} addresses", kMostAddresses));
  if (first <= server && server <= last)
    senseless_dhcp(object, "the server's own address " + server.text() + " is in the pool", "move the pool");
  for (const auto* servers : {&routers, &name_servers, &time_servers})
    if (servers->size() > kMostServers)
      senseless_dhcp(object, fmt::format("{} servers of one kind", servers->size()), fmt::format("give {} at most", kMostServers));
  if (domain.size() > kMostDomain)
    senseless_dhcp(object, fmt::format("a domain of {} bytes", domain.size()), fmt::format("give {} at most", kMostDomain));
  check_dhcp_lease(object, lease);
}

void DhcpFaults::check(const std::string& object) const {
  if (short_lease) check_dhcp_lease(object + ": short lease", *short_lease);
  if (new_subnet) new_subnet->check(object + ": new subnet");
  if (second_server) second_server->check(object + ": second server");
  if (slow.count() < 0 || slow > kSlowest) senseless_dhcp(object, fmt::format("slow by {} ms", slow.count()), "give 0 to 600000 ms");
}

}  // namespace hilcop
