// SPDX-License-Identifier: Apache-2.0
#include "network/port/routes.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "io/netlink.h"

namespace hilcop {

using netlink::parsed;
using netlink::require;
using netlink::Route;

namespace {

constexpr std::uint32_t kTable = 100;  // for what the device sends

Route route_to(const std::string& destination, int family, const std::string& object) {
  Route route(rtnl_route_alloc());
  const auto net = parsed(destination, family, object);
  rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(nl_addr_get_family(net.get())));
  rtnl_route_set_dst(route.get(), net.get());
  return route;
}

void lead_to(const Route& route, const std::string& interface, const netlink::Net* gateway) {
  auto* const hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, netlink::index_of(interface));
  if (gateway != nullptr) rtnl_route_nh_set_gateway(hop, gateway->get());
  rtnl_route_add_nexthop(route.get(), hop);  // which owns it from here
}

}  // namespace

struct Routes::State {
  netlink::Socket socket = netlink::connected();
};

Routes::Routes() : state_(std::make_unique<State>()) {}

Routes::~Routes() = default;

void Routes::take_all_from(const std::string& interface) {
  const std::string object = "interface '" + interface + "'";
  for (const int family : {AF_INET, AF_INET6}) {
    const auto route = route_to("default", family, object);
    rtnl_route_set_table(route.get(), kTable);
    rtnl_route_set_type(route.get(), RTN_LOCAL);
    rtnl_route_set_scope(route.get(), RT_SCOPE_HOST);
    lead_to(route, "lo", nullptr);
    require(rtnl_route_add(state_->socket.get(), route.get(), NLM_F_REPLACE), object, "all addresses cannot be taken");
    const netlink::Rule rule(rtnl_rule_alloc());
    rtnl_rule_set_family(rule.get(), family);
    rtnl_rule_set_iif(rule.get(), interface.c_str());
    rtnl_rule_set_table(rule.get(), kTable);
    rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
    rtnl_rule_set_prio(rule.get(), kTable);
    require(rtnl_rule_add(state_->socket.get(), rule.get(), 0), object, "all addresses cannot be taken");
  }
}

void Routes::leave_out(const std::string& address) {
  const auto route = route_to(address, AF_INET, "route to " + address);
  rtnl_route_set_table(route.get(), kTable);
  rtnl_route_set_type(route.get(), RTN_THROW);  // the next rule's table is looked in: ip-route(8)
  require(rtnl_route_add(state_->socket.get(), route.get(), NLM_F_REPLACE), "route to " + address, "cannot be made");
}

void Routes::add_default(const std::string& interface, const std::string& gateway) {
  const std::string object = "interface '" + interface + "'";
  const auto route = route_to("default", AF_INET, object);
  const auto router = parsed(gateway, AF_INET, object);
  lead_to(route, interface, &router);
  require(rtnl_route_add(state_->socket.get(), route.get(), NLM_F_REPLACE), object, "cannot have the router " + gateway);
}

}  // namespace hilcop
