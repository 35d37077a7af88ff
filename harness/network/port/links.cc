// SPDX-License-Identifier: Apache-2.0
#include "network/port/links.h"

#include <fcntl.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/inet6.h>
#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "io/netlink.h"
#include "io/unique_fd.h"

namespace hilcop {

using netlink::Address;
using netlink::Link;
using netlink::Message;
using netlink::parsed;
using netlink::require;

namespace {

constexpr int kAnswerNoArp = 8;  // ip-sysctl, arp_ignore: not for any address of this host

// No message of rtnetlink sets these. The file is of the namespace of who opens it.
bool set_ipv6(const std::string& interface, const char* key, char value) {
  const UniqueFd file(::open(("/proc/sys/net/ipv6/conf/" + interface + "/" + key).c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), &value, 1) == 1;
}

}  // namespace

struct Links::State {
  netlink::Socket socket = netlink::connected();

  int index(const std::string& name) const { return netlink::index_of(name); }
  template <typename Change>
  void change(const std::string& name, const std::string& what, Change&& with) const {
    const Link before(rtnl_link_alloc()), after(rtnl_link_alloc());
    rtnl_link_set_ifindex(before.get(), index(name));
    with(after.get());
    require(rtnl_link_change(socket.get(), before.get(), after.get(), 0), "interface '" + name + "'", what);
  }
};

Links::Links() : state_(std::make_unique<State>()) {}

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
  const auto address = parsed(mac, AF_LLC, "interface '" + name + "'");
  state_->change(name, "cannot have MAC address " + mac, [&](rtnl_link* link) { rtnl_link_set_addr(link, address.get()); });
}

void Links::set_arp_for_own(const std::string& name) {
  state_->change(name, "cannot be kept to its own address", [](rtnl_link* link) {
    rtnl_link_inet_set_conf(link, IPV4_DEVCONF_ARP_IGNORE, 1);    // ip-sysctl: answer only if the address is of this interface
    rtnl_link_inet_set_conf(link, IPV4_DEVCONF_ARP_ANNOUNCE, 2);  // and ask in its name alone
  });
}

void Links::set_without_ipv6(const std::string& name) {
  state_->change(name, "cannot be without IPv6",
                 [](rtnl_link* link) { rtnl_link_inet6_set_addr_gen_mode(link, rtnl_link_inet6_str2addrgenmode("none")); });
}

void Links::set_silent(const std::string& name) {
  state_->change(name, "cannot be silenced", [](rtnl_link* link) {
    rtnl_link_inet_set_conf(link, IPV4_DEVCONF_ARP_IGNORE, kAnswerNoArp);
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
  return set_ipv6(name, "accept_ra", '0');
}

// Forwarding needs conf/all/forwarding too (net/ipv6/ip6_output.c).
bool Links::be_router(const std::string& name) {
  state_->index(name);
  return set_ipv6(name, "forwarding", '1') && set_ipv6(name, "accept_dad", '0');
}

void Links::keep_bridged_from_filters() {
  for (const char* filter : {"iptables", "ip6tables", "arptables"}) {
    const std::string path = std::string("/proc/sys/net/bridge/bridge-nf-call-") + filter;
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) continue;  // the module is not there
    char value = '1';
    if (::read(file.get(), &value, 1) == 1 && value == '0') continue;
    const UniqueFd written(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!written || ::write(written.get(), "0", 1) != 1)
      throw Error(ErrorKind::PermissionDenied, "shared bench network",
                  "cannot keep this host's br_netfilter from what its devices say to each other: " + path + " may not be written",
                  "mount /proc/sys for writing, which some containers have read-only, or unload br_netfilter");
  }
}

Links::Neighbour Links::neighbour(const std::string& name, const std::string& address) {
  const auto wanted = parsed(address, AF_UNSPEC, "interface '" + name + "'");
  nl_cache* all = nullptr;
  require(rtnl_neigh_alloc_cache(state_->socket.get(), &all), "interface '" + name + "'", "its neighbours are not told");
  const Owned<nl_cache, nl_cache_free> neighbours(all);
  const Owned<rtnl_neigh, rtnl_neigh_put> found(rtnl_neigh_get(neighbours.get(), state_->index(name), wanted.get()));
  if (!found) return Neighbour::Unknown;
  return (rtnl_neigh_get_state(found.get()) & (NUD_INCOMPLETE | NUD_FAILED)) != 0 ? Neighbour::Nobody : Neighbour::There;
}

void Links::add_address(const std::string& name, const std::string& address) {
  const auto local = parsed(address, AF_UNSPEC, "interface '" + name + "'");
  const Address entry(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(entry.get(), state_->index(name));
  require(rtnl_addr_set_local(entry.get(), local.get()), "interface '" + name + "'", "'" + address + "' is no address");
  if (nl_addr_get_family(local.get()) == AF_INET6) rtnl_addr_set_flags(entry.get(), IFA_F_NODAD);
  require(rtnl_addr_add(state_->socket.get(), entry.get(), NLM_F_REPLACE), "interface '" + name + "'", "cannot have address " + address);
}

void Links::set_forwarding(const std::string& name, bool forwards) {
  state_->change(name, "cannot forward",
                 [forwards](rtnl_link* link) { rtnl_link_inet_set_conf(link, IPV4_DEVCONF_FORWARDING, forwards ? 1 : 0); });
}

void Links::add_bridge(const std::string& name) {
  const Link bridge(rtnl_link_bridge_alloc());
  rtnl_link_set_name(bridge.get(), name.c_str());
  const int code = rtnl_link_add(state_->socket.get(), bridge.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code == -NLE_OPNOTSUPP) throw Error(ErrorKind::Unsupported, "bridge '" + name + "'", "this kernel has none", "modprobe bridge");
  require(code, "bridge '" + name + "'", "cannot be made");
}

void Links::join(const std::string& name, const std::string& bridge) {
  state_->change(name, "cannot be a port of '" + bridge + "'",
                 [index = state_->index(bridge)](rtnl_link* link) { rtnl_link_set_master(link, index); });
}

std::optional<bool> Links::has_carrier(const std::string& name) {
  if (::if_nametoindex(name.c_str()) == 0) return std::nullopt;
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(state_->socket.get(), 0, name.c_str(), &found) < 0) return false;  // who cannot be asked is not gone
  const Link link(found);
  return rtnl_link_get_carrier(link.get()) != 0;
}

std::optional<LinkCounts> Links::counts(const std::string& name) {
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(state_->socket.get(), 0, name.c_str(), &found) < 0) return std::nullopt;
  const Link link(found);
  const auto count = [&](rtnl_link_stat_id_t id) { return static_cast<std::uint64_t>(rtnl_link_get_stat(link.get(), id)); };
  const auto lost =
      count(RTNL_LINK_RX_ERRORS) + count(RTNL_LINK_RX_MISSED_ERR) + count(RTNL_LINK_RX_FIFO_ERR) + count(RTNL_LINK_RX_OVER_ERR);
  return LinkCounts{count(RTNL_LINK_RX_PACKETS), count(RTNL_LINK_TX_PACKETS), count(RTNL_LINK_RX_DROPPED), count(RTNL_LINK_TX_DROPPED),
                    lost};
}

}  // namespace hilcop
