// SPDX-License-Identifier: Apache-2.0
#include "network/process/gateway_filter.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "network/dhcp/ipv4.h"

namespace hilcop {

using nlohmann::json;

namespace {

// Of IPv4: "10.77.0.1/24". Whether there are addresses that are of both.
bool overlap(const std::string& one, const std::string& other) {
  if (one.find(':') != std::string::npos || other.find(':') != std::string::npos) return false;
  const auto begin = [](const std::string& subnet) { return Ipv4::of(subnet.substr(0, subnet.find('/'))).value; };
  const auto bits = [](const std::string& subnet) {
    const auto slash = subnet.find('/');
    return slash == std::string::npos ? 32UL : std::min(32UL, std::stoul(subnet.substr(slash + 1)));
  };
  const auto shared = std::min(bits(one), bits(other));
  return shared == 0 || (begin(one) ^ begin(other)) >> (32 - shared) == 0;
}

}  // namespace

GatewayFilter::GatewayFilter(const std::string& gateway, Links& links, Routes& routes,
                             std::function<std::vector<std::string>(const std::string& name)> addresses_of)
    : links_(links), routes_(routes), addresses_of_(std::move(addresses_of)) {
  state_.gateway = gateway;
  try {
    filter_ = std::make_unique<PacketFilter>();
    filter_->set(state_);
  } catch (const Error& error) {  // nothing is forwarded without it, either: the namespace forwards nothing by itself
    failure_ = error;
    filter_.reset();
  }
}

void GatewayFilter::apply(FilterState wanted) {
  if (!filter_) throw Error(*failure_);
  filter_->set(wanted);
  state_ = std::move(wanted);
}

void GatewayFilter::add_lan(const std::string& subnet) {
  auto wanted = state_;
  if (!wanted.lans.insert(subnet).second) return;
  if (filter_)
    apply(std::move(wanted));
  else
    state_ = std::move(wanted);
}

void GatewayFilter::refuse_overlap(const std::string& subnet) const {
  if (uplink_address_.empty() || !overlap(subnet, uplink_address_)) return;
  throw Error(ErrorKind::Config, "bench network", "the subnet " + subnet + " is the uplink's too: " + uplink_address_,
              "give the device another, or the lab's side of the uplink");
}

void GatewayFilter::serve(std::set<int> ports, int others_ipv4, int others_ipv6) {
  auto wanted = state_;
  wanted.served.merge(ports);
  wanted.catch_ipv4 = others_ipv4;
  wanted.catch_ipv6 = others_ipv6;
  if (filter_ || others_ipv4 != 0) apply(std::move(wanted));
}

void GatewayFilter::set_outage(const json& how) {
  const std::string what = how.at("what");
  const bool on = how.at("on");
  auto wanted = state_;
  if (what == "gateway") {
    wanted.gateway_dead = on;
  } else if (what == "internet") {
    wanted.internet_dead = on;
  } else if (what == "host") {
    const std::string host = how.at("host");
    if (on) dead_.try_emplace(host, addresses_of_(host));
    wanted.dead_hosts.clear();
    for (const auto& [name, addresses] : dead_)
      if (on || name != host) wanted.dead_hosts.insert(addresses.begin(), addresses.end());
    if (!on) dead_.erase(host);
  } else {
    throw Error(ErrorKind::Config, "bench network", "has no outage '" + what + "'", "choose one of: gateway, internet, host");
  }
  apply(std::move(wanted));
}

void GatewayFilter::attach_uplink(const json& how) {
  if (!state_.uplink.empty())
    throw Error(ErrorKind::Busy, "bench network", "has the uplink '" + state_.uplink + "' already", "open the bench anew with another");
  auto wanted = state_;
  const std::string interface = how.at("interface"), router = how.at("gateway"), address = how.at("address");
  for (const auto& lan : state_.lans)
    if (overlap(address, lan))
      throw Error(ErrorKind::Config, "uplink '" + interface + "' of the bench network",
                  "its subnet " + address + " is the device's too: " + lan, "give the lab's side of the uplink another subnet");
  wanted.uplink = interface;
  for (const auto& rule : how.at("allow"))
    wanted.allowed.push_back({rule.at("address"), rule.at("port"), rule.value("protocol", std::string("tcp"))});
  const auto before = state_;
  apply(wanted);  // the rules first: the interface is down until they are in force
  try {
    links_.set_without_ipv6(interface);
    links_.set_arp_for_own(interface);
    links_.add_address(interface, address);
    links_.set_up(interface, true);
    routes_.add_default(interface, router);
    for (const auto& name : {interface, state_.gateway}) links_.set_forwarding(name, true);
    for (const auto& rule : wanted.allowed) routes_.leave_out(rule.address);
    uplink_address_ = address;
  } catch (const Error&) {
    apply(before);
    throw;
  }
}

std::optional<json> GatewayFilter::ask(const std::string& what, const json& how) {
  if (what == "outage") return set_outage(how), json::object();
  if (what == "uplink.attach") return attach_uplink(how), json::object();
  return std::nullopt;
}

json GatewayFilter::status() {
  if (!filter_) return {{"failure", failure_->to_json()}};
  json counts = filter_->counts();
  counts["failure"] = nullptr;
  return counts;
}

}  // namespace hilcop
