// SPDX-License-Identifier: Apache-2.0
#include "network/port/links.h"

#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "base/owned.h"
#include "io/unique_fd.h"

namespace hilcop {

namespace {

constexpr std::uint32_t kTable = 100;  // of routes for what the device sends

using Socket = Owned<nl_sock, nl_socket_free>;
using Link = Owned<rtnl_link, rtnl_link_put>;
using Address = Owned<rtnl_addr, rtnl_addr_put>;
using Net = Owned<nl_addr, nl_addr_put>;
using Route = Owned<rtnl_route, rtnl_route_put>;
using Rule = Owned<rtnl_rule, rtnl_rule_put>;
using Message = Owned<nl_msg, nlmsg_free>;

void require(int code, const std::string& object, const std::string& what) {
  if (code >= 0) return;
  const bool denied = code == -NLE_PERM || code == -NLE_NOACCESS;
  throw Error(denied              ? ErrorKind::PermissionDenied
              : code == -NLE_BUSY ? ErrorKind::Busy
                                  : ErrorKind::Protocol,
              object, what + ": " + nl_geterror(code), denied ? "it needs CAP_NET_ADMIN over this network" : "");
}

}  // namespace

struct Links::State {
  Socket socket{nl_socket_alloc()};

  int index(const std::string& name) const {
    const auto number = ::if_nametoindex(name.c_str());
    if (number == 0)
      throw Error(ErrorKind::NotFound, "interface '" + name + "'", "is not in the bench's network", "see whether it was unplugged");
    return static_cast<int>(number);
  }
  template <typename Change>
  void change(const std::string& name, const std::string& what, Change&& with) const {
    const Link before(rtnl_link_alloc()), after(rtnl_link_alloc());
    rtnl_link_set_ifindex(before.get(), index(name));
    with(after.get());
    require(rtnl_link_change(socket.get(), before.get(), after.get(), 0), "interface '" + name + "'", what);
  }
};

Links::Links() : state_(std::make_unique<State>()) {
  require(state_->socket ? nl_connect(state_->socket.get(), NETLINK_ROUTE) : -NLE_NOMEM, "bench network", "the kernel cannot be asked");
}

Links::~Links() = default;

void Links::set_up(const std::string& name, bool up) {
  state_->change(name, up ? "cannot be switched on" : "cannot be switched off", [up](rtnl_link* link) {
    if (up)
      rtnl_link_set_flags(link, IFF_UP);
    else
      rtnl_link_unset_flags(link, IFF_UP);
  });
}

void Links::set_mac(const std::string& name, const std::string& mac) {
  nl_addr* parsed = nullptr;
  require(nl_addr_parse(mac.c_str(), AF_LLC, &parsed), "interface '" + name + "'", "'" + mac + "' is no MAC address");
  const Net address(parsed);
  state_->change(name, "cannot have MAC address " + mac, [&](rtnl_link* link) { rtnl_link_set_addr(link, address.get()); });
}

void Links::set_silent(const std::string& name) {
  state_->change(name, "cannot be silenced", [](rtnl_link* link) {
    rtnl_link_set_flags(link, IFF_NOARP);
    rtnl_link_inet6_set_addr_gen_mode(link, rtnl_link_inet6_str2addrgenmode("none"));
  });
}

void Links::set_queue_length(const std::string& name, unsigned packets) {
  state_->change(name, "cannot queue more", [&](rtnl_link* link) { rtnl_link_set_txqlen(link, packets); });
}

void Links::set_neighbour_retry(const std::string& name, std::chrono::milliseconds every) {
  const std::pair<int, const char*> tables[] = {{AF_INET, "arp_cache"}, {AF_INET6, "ndisc_cache"}};
  for (const auto& [family, table] : tables) {
    Message message(nlmsg_alloc_simple(RTM_SETNEIGHTBL, 0));
    ndtmsg head{};
    head.ndtm_family = static_cast<std::uint8_t>(family);
    require(message ? nlmsg_append(message.get(), &head, sizeof head, NLMSG_ALIGNTO) : -NLE_NOMEM, "interface '" + name + "'",
            "no message");
    nla_put_string(message.get(), NDTA_NAME, table);
    auto* const parameters = nla_nest_start(message.get(), NDTA_PARMS);
    nla_put_u32(message.get(), NDTPA_IFINDEX, static_cast<std::uint32_t>(state_->index(name)));
    nla_put_u64(message.get(), NDTPA_RETRANS_TIME, static_cast<std::uint64_t>(every.count()));
    nla_nest_end(message.get(), parameters);
    // Which takes the message, whether it succeeds or not.
    require(nl_send_sync(state_->socket.get(), message.release()), "interface '" + name + "'", "cannot look for neighbours more often");
  }
}

bool Links::ignore_routers(const std::string& name) {
  state_->index(name);  // or it says that there is none
  // No message of rtnetlink sets it. The file is of the namespace of who opens it.
  const UniqueFd file(::open(("/proc/sys/net/ipv6/conf/" + name + "/accept_ra").c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), "0", 1) == 1;
}

Links::Neighbour Links::neighbour(const std::string& name, const std::string& address) {
  nl_addr* parsed = nullptr;
  require(nl_addr_parse(address.c_str(), AF_UNSPEC, &parsed), "interface '" + name + "'", "'" + address + "' is no address");
  const Net wanted(parsed);
  nl_cache* all = nullptr;
  require(rtnl_neigh_alloc_cache(state_->socket.get(), &all), "interface '" + name + "'", "its neighbours are not told");
  const Owned<nl_cache, nl_cache_free> neighbours(all);
  const Owned<rtnl_neigh, rtnl_neigh_put> found(rtnl_neigh_get(neighbours.get(), state_->index(name), wanted.get()));
  if (!found) return Neighbour::Unknown;
  return (rtnl_neigh_get_state(found.get()) & (NUD_INCOMPLETE | NUD_FAILED)) != 0 ? Neighbour::Nobody : Neighbour::There;
}

void Links::add_address(const std::string& name, const std::string& address) {
  nl_addr* parsed = nullptr;
  require(nl_addr_parse(address.c_str(), AF_UNSPEC, &parsed), "interface '" + name + "'", "'" + address + "' is no address");
  const Net local(parsed);
  const Address entry(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(entry.get(), state_->index(name));
  require(rtnl_addr_set_local(entry.get(), local.get()), "interface '" + name + "'", "'" + address + "' is no address");
  if (nl_addr_get_family(local.get()) == AF_INET6) rtnl_addr_set_flags(entry.get(), IFA_F_NODAD);
  require(rtnl_addr_add(state_->socket.get(), entry.get(), NLM_F_REPLACE), "interface '" + name + "'", "cannot have address " + address);
}

void Links::take_all_from(const std::string& name) {
  for (const int family : {AF_INET, AF_INET6}) {
    const Route route(rtnl_route_alloc());
    nl_addr* all = nullptr;
    require(nl_addr_parse("default", family, &all), "interface '" + name + "'", "no default route");
    const Net destination(all);
    rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(family));
    rtnl_route_set_dst(route.get(), destination.get());
    rtnl_route_set_table(route.get(), kTable);
    rtnl_route_set_type(route.get(), RTN_LOCAL);
    rtnl_route_set_scope(route.get(), RT_SCOPE_HOST);
    auto* hop = rtnl_route_nh_alloc();
    rtnl_route_nh_set_ifindex(hop, state_->index("lo"));
    rtnl_route_add_nexthop(route.get(), hop);  // which owns it from here
    require(rtnl_route_add(state_->socket.get(), route.get(), NLM_F_REPLACE), "interface '" + name + "'", "all addresses cannot be taken");
    const Rule rule(rtnl_rule_alloc());
    rtnl_rule_set_family(rule.get(), family);
    rtnl_rule_set_iif(rule.get(), name.c_str());
    rtnl_rule_set_table(rule.get(), kTable);
    rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
    rtnl_rule_set_prio(rule.get(), kTable);
    require(rtnl_rule_add(state_->socket.get(), rule.get(), 0), "interface '" + name + "'", "all addresses cannot be taken");
  }
}

std::optional<LinkCounts> Links::counts(const std::string& name) {
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(state_->socket.get(), 0, name.c_str(), &found) < 0) return std::nullopt;
  const Link link(found);
  const auto count = [&](rtnl_link_stat_id_t id) { return static_cast<std::uint64_t>(rtnl_link_get_stat(link.get(), id)); };
  return LinkCounts{count(RTNL_LINK_RX_PACKETS), count(RTNL_LINK_TX_PACKETS), count(RTNL_LINK_RX_DROPPED), count(RTNL_LINK_TX_DROPPED)};
}

}  // namespace hilcop
