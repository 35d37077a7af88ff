// SPDX-License-Identifier: Apache-2.0
#include "network/filter/filter_rules.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace hilcop {

namespace {

constexpr int kMostPort = 65535;
// At once, of each way. This host's kernel remembers each, and has room for so many (nf_conntrack_max): a flood takes it from everybody.
constexpr int kMostConnections = 512;

[[noreturn]] void refuse(const std::string& what, const std::string& remedy) {
  throw Error(ErrorKind::Config, "filter of the bench network", what, remedy);
}

// What is asked for goes into a text that nft reads: nothing but what it is said to be may be in it.
bool is_v6(const std::string& address) {
  in6_addr six{};
  in_addr four{};
  const auto slash = address.find('/');
  const auto host = address.substr(0, slash);
  if (slash != std::string::npos) {
    const auto length = address.substr(slash + 1);
    if (length.empty() || length.size() > 3 || length.find_first_not_of("0123456789") != std::string::npos)
      refuse("'" + address + "' is no subnet", "give one as 10.77.0.0/24");
  }
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return false;
  if (::inet_pton(AF_INET6, host.c_str(), &six) == 1) return true;
  refuse("'" + address + "' is no address", "give one as 203.0.113.5 or 2001:db8::5");
}

const std::string& interface_name(const std::string& name) {
  const auto wrong = [](char c) { return c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '/' || c == '*'; };
  if (name.empty() || name.size() >= IFNAMSIZ || std::ranges::any_of(name, wrong))
    refuse("'" + name + "' is no interface", "see `ip link`");
  return name;
}

std::string set_of(const std::vector<std::string>& elements) { return fmt::format("{{ {} }}", fmt::join(elements, ", ")); }

// Neither is ever the internet: broadcast and multicast, what a host without an address sends from, link-local.
std::vector<std::string> at_home(const FilterState& state, bool v6) {
  std::vector<std::string> list;
  for (const auto& lan : state.lans)
    if (is_v6(lan) == v6) list.push_back(lan);
  if (v6)
    list.insert(list.end(), {"fe80::/10", "ff00::/8", "::/128"});
  else
    list.insert(list.end(), {"224.0.0.0/4", "255.255.255.255", "169.254.0.0/16", "0.0.0.0"});
  return list;
}

// Both ways, so that a connection that stands is dead, too.
std::string outages(const FilterState& state, const char* interface, const char* side) {
  std::string rules;
  for (const auto& host : state.dead_hosts)
    rules += fmt::format("    {} \"{}\" {} {} {} counter name {} drop\n", interface, state.gateway, is_v6(host) ? "ip6" : "ip", side, host,
                         kDeadHost);
  if (state.internet_dead)
    for (const bool v6 : {false, true})
      rules += fmt::format("    {} \"{}\" {} {} != {} counter name {} drop\n", interface, state.gateway, v6 ? "ip6" : "ip", side,
                           set_of(at_home(state, v6)), kDeadInternet);
  return rules;
}

// Connections that begin, to ports that nobody serves. One that stands finds its socket by itself; the bench's own connections to the
// device are answered with SYN and ACK.
std::string others(const FilterState& state, bool caught) {
  std::string rules;
  for (const bool v6 : {false, true}) {
    const int port = v6 ? state.catch_ipv6 : state.catch_ipv4;
    if ((port != 0) != caught) continue;
    std::vector<std::string> served;
    for (const int one : state.served) served.push_back(std::to_string(one));
    const auto ports = served.empty() ? "" : fmt::format(" tcp dport != {}", set_of(served));
    const char* family = v6 ? "ip6" : "ip";
    rules += fmt::format("    iifname \"{}\" meta nfproto {} {} daddr != {} tcp flags & (syn | ack) == syn{} {}\n", state.gateway,
                         v6 ? "ipv6" : "ipv4", family, set_of(at_home(state, v6)), ports,
                         caught ? fmt::format("counter name {} tproxy {} to :{}", kCaught, family, port) : "reject with tcp reset");
  }
  return rules;
}

std::string allowed(const FilterState& state) {
  if (state.uplink.empty()) return "";
  std::string rules = fmt::format("    iifname \"{}\" oifname \"{}\" ct state established,related counter name {} accept\n",
                                  interface_name(state.uplink), state.gateway, kForwarded);
  for (const auto& rule : state.allowed) {
    if (rule.protocol != "tcp" && rule.protocol != "udp") refuse("'" + rule.protocol + "' is no protocol", "choose one of: tcp, udp");
    if (rule.port == 0) refuse("port 0 cannot be allowed", fmt::format("give 1 to {}", kMostPort));
    if (is_v6(rule.address) || rule.address.find('/') != std::string::npos)
      refuse("'" + rule.address + "' cannot be allowed", "give one IPv4 address");
    const auto way = fmt::format("    iifname \"{}\" oifname \"{}\" ip daddr {} {} dport {}", state.gateway, state.uplink, rule.address,
                                 rule.protocol, rule.port);
    rules += fmt::format("{} ct state new ct count over {} counter name {} drop\n", way, kMostConnections, kUplinkFlood);
    rules += fmt::format("{} counter name {} accept\n", way, kForwarded);
  }
  return rules;
}

// The gateway alone is the bench's: what comes in elsewhere is not for this host, and this host says nothing there. The lab's network gets
// what was allowed to the device, and neither a word of the bench itself nor its ear; a port belongs to the wire.
std::string own_side(const FilterState& state, bool in) {
  const char* interface = in ? "iifname" : "oifname";
  std::string rules;
  if (!state.uplink.empty())
    rules = fmt::format("    {} \"{}\" counter name {} drop\n", interface, state.uplink, in ? kUplinkRefused : kUplinkOwn);
  return rules + fmt::format("    {} != {{ \"lo\", \"{}\" }} drop\n", interface, state.gateway);
}

}  // namespace

std::string ruleset_of(const FilterState& state) {
  interface_name(state.gateway);
  std::string text = "add table inet hilcop\nflush table inet hilcop\ntable inet hilcop {\n";
  for (const char* counter : {kForwarded, kForwardDropped, kUplinkRefused, kUplinkOwn, kDeadHost, kDeadInternet, kCaught, kUplinkFlood})
    text += fmt::format("  counter {} {{ }}\n", counter);
  text += fmt::format("  chain from_device {{\n    type filter hook prerouting priority mangle; policy accept;\n{}{}  }}\n",
                      outages(state, "iifname", "daddr"), others(state, true));
  text += fmt::format("  chain to_device {{\n    type filter hook postrouting priority mangle; policy accept;\n{}  }}\n",
                      outages(state, "oifname", "saddr"));
  // Whatever else is wrong, nothing is forwarded that no rule allows.
  text += fmt::format("  chain through {{\n    type filter hook forward priority filter; policy drop;\n{}    counter name {}\n  }}\n",
                      allowed(state), kForwardDropped);
  text += fmt::format("  chain in {{\n    type filter hook input priority filter; policy accept;\n{}{}  }}\n", own_side(state, true),
                      others(state, false));
  text += fmt::format("  chain out {{\n    type filter hook output priority filter; policy accept;\n{}  }}\n", own_side(state, false));
  if (!state.uplink.empty())
    text += fmt::format(
        "  chain address {{\n    type nat hook postrouting priority srcnat; policy accept;\n    oifname \"{}\" masquerade\n  }}\n",
        state.uplink);
  text += "}\nadd table netdev hilcop\ntable netdev hilcop {\n";
  for (const char* way : {"ingress", "egress"})
    text += fmt::format("  chain {} {{\n    type filter hook {} device \"{}\" priority filter; policy {};\n  }}\n", way, way, state.gateway,
                        state.gateway_dead ? "drop" : "accept");
  return text + "}\n";
}

}  // namespace hilcop
