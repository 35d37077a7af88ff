// SPDX-License-Identifier: Apache-2.0
#include "network/process/gateway_services.h"

#include <net/if.h>

#include <charconv>

#include "network/port/service_socket.h"
#include "network/process/asked.h"
#include "network/process/service_events.h"

namespace hilcop {

using nlohmann::json;
using services::DnsExchange;
using services::NtpExchange;

namespace {

constexpr int kDnsPort = 53, kNtpPort = 123, kDhcpPort = 67;
constexpr std::uint32_t kPoolBegin = 50, kPoolEnd = 199;  // of a subnet with 256 addresses

std::string before_slash(const std::string& address) { return address.substr(0, address.find('/')); }

DhcpNetwork pool_at(const std::string& gateway) {
  DhcpNetwork network;
  network.server = Ipv4::of(gateway);
  const std::uint32_t subnet = network.server.value & 0xffffff00U;
  network.first = {subnet | kPoolBegin};
  network.last = {subnet | kPoolEnd};
  network.routers = network.name_servers = network.time_servers = {network.server};
  return network;
}

RouterAdvertisement advertisement_of(const std::string& address6) {
  RouterAdvertisement advertisement;
  AdvertisedPrefix prefix;
  auto network = Ipv6::of(before_slash(address6));
  for (std::size_t i = 8; i < 16; ++i) network.value.s6_addr[i] = 0;
  prefix.address = network;
  advertisement.prefixes = {prefix};
  advertisement.name_servers = {Ipv6::of(before_slash(address6))};
  return advertisement;
}

}  // namespace

GatewayServices::GatewayServices(const std::string& interface, const std::string& address, const std::string& address6,
                                 std::function<void(const std::string&)> add_address, Outbox& outbox)
    : network_(pool_at(before_slash(address))), add_address_(std::move(add_address)) {
  dhcp_ =
      std::make_unique<DhcpServer>(udp_service(IpFamily::V4, kDhcpPort, interface), network_, [this, &outbox](const DhcpReport& report) {
        heard(report);
        outbox.event("dhcp", report.steady, report.utc, to_json(report));
      });
  router_ = std::make_unique<RouterAdvertiser>(router_socket(interface), ::if_nametoindex(interface.c_str()), advertisement_of(address6),
                                               [&outbox](const RouterReport& report) {
                                                 if (report.why != "periodic")
                                                   outbox.event("router", report.steady, report.utc, to_json(report));
                                               });
  services::DnsSockets sockets;
  for (const auto family : {IpFamily::V4, IpFamily::V6}) {
    sockets.udp.push_back(udp_service(family, kDnsPort, interface));
    sockets.tcp.push_back(tcp_service(family, kDnsPort, interface));
  }
  services::DnsServerOptions options;
  options.ipv6 = true;
  dns_ = std::make_unique<services::DnsServer>(
      std::move(sockets), names_,
      [&outbox](const DnsExchange& exchange) {
        if (exchange.fate != DnsExchange::Fate::Waiting) outbox.event("dns", exchange.at, exchange.utc, to_json(exchange));
      },
      options);
  for (const auto family : {IpFamily::V4, IpFamily::V6})
    ntp_.push_back(std::make_unique<services::NtpServer>(udp_service(family, kNtpPort, interface), [&outbox](const NtpExchange& exchange) {
      if (exchange.fate != NtpExchange::Fate::Waiting) outbox.event("ntp", exchange.at, exchange.utc, to_json(exchange));
    }));
}

GatewayServices::~GatewayServices() = default;

void GatewayServices::heard(const DhcpReport& report) {
  const std::scoped_lock lock(leases_mutex_);
  if (report.message.kind() == DhcpKind::Release) leases_.erase(report.message.hardware_text());
  for (const auto& answer : report.answers)
    if (answer.message.kind() == DhcpKind::Ack && answer.failure.empty() && answer.message.yours.value != 0 &&
        leases_.size() < DhcpNetwork::kMostAddresses)
      leases_[report.message.hardware_text()] = answer.message.yours.text();
}

std::map<std::string, std::string> GatewayServices::leases() const {
  const std::scoped_lock lock(leases_mutex_);
  return leases_;
}

std::string GatewayServices::name_of(const std::string& address) const {
  return names_.name_of(services::IpAddress::of(address)).value_or("");
}

std::vector<std::string> GatewayServices::addresses_of(const std::string& host) {
  if (host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == std::string::npos)
    return {services::IpAddress::of(host).text()};
  const auto name = services::DnsName::of(host);
  const auto rule = dns_->rules().find(name).rule;
  std::vector<std::string> found;
  for (const auto* list : {&rule.addresses, &rule.then})
    for (const auto& address : *list) found.push_back(address.text());
  if (!found.empty()) return found;
  const auto addresses = names_.addresses(name);
  if (!addresses) throw Error(ErrorKind::Exhausted, "name server of the bench network", "has no address left for '" + host + "'", "");
  return {addresses->v4.text(), addresses->v6.text()};
}

void GatewayServices::set_dhcp(const json& how) {
  DhcpFaults faults;
  faults.no_answer = how.value("no_answer", false);
  faults.nak = how.value("nak", false);
  if (how.contains("short_lease_s")) faults.short_lease = std::chrono::seconds(how.at("short_lease_s").get<int>());
  const auto another = [&](const char* key) -> std::optional<DhcpNetwork> {
    if (!how.contains(key)) return std::nullopt;
    const std::string gateway = how.at(key);
    auto network = pool_at(gateway);
    add_address_(gateway + "/24");  // so that it is answered there
    return network;
  };
  faults.new_subnet = another("new_subnet");
  faults.second_server = another("second_server");
  faults.second_server_first = how.value("second_server_first", false);
  faults.no_gateway = how.value("no_gateway", false);
  faults.no_dns = how.value("no_dns", false);
  faults.offer_taken_address = how.value("offer_taken_address", false);
  faults.slow = std::chrono::duration_cast<std::chrono::milliseconds>(seconds_asked(how, "slow_s", 600, "DHCP server"));
  dhcp_->set_faults(faults);
}

void GatewayServices::set_ntp(const json& how) {
  const auto behaviour = ntp_behaviour_of(how);
  for (auto& server : ntp_) server->set(behaviour);
}

std::optional<json> GatewayServices::ask(const std::string& what, const json& how) {
  const json done = json::object();
  if (what == "dhcp") return set_dhcp(how), done;
  if (what == "router") return how.at("silent").get<bool>() ? router_->be_silent(how.value("farewell", false)) : router_->speak(), done;
  if (what == "ntp") return set_ntp(how), done;
  if (what == "dns.rule") return dns_->rules().set(how.at("name"), dns_rule_of(how)), done;
  if (what == "dns.forget") return json{{"was_there", dns_->rules().remove(how.at("name"))}};
  if (what == "dns.clear") return dns_->rules().clear(), done;
  if (what == "dns.silent") return dns_->set_silent(how.at("silent")), done;
  if (what == "dns.name") return json{{"name", name_of(how.at("address"))}};
  return std::nullopt;
}

json GatewayServices::status() const {
  const auto dhcp = dhcp_->counts();
  const auto dns = dns_->counts();
  json failures = json::array();
  const auto note = [&](const std::optional<Error>& failure) {
    if (failure) failures.push_back(failure->to_json());
  };
  note(dhcp_->failure());
  note(router_->failure());
  note(dns_->failure());
  std::uint64_t requests = 0, answered = 0;
  for (const auto& server : ntp_) {
    note(server->failure());
    const auto counts = server->counts();
    requests += counts.requests;
    answered += counts.answered;
  }
  return {{"dhcp", {{"received", dhcp.received}, {"malformed", dhcp.malformed}, {"replies", dhcp.replies}, {"lost", dhcp.lost}}},
          {"dns",
           {{"queries", dns.queries},
            {"malformed", dns.malformed},
            {"answered", dns.answered},
            {"silent", dns.silent},
            {"failed", dns.failed},
            {"names", names_.size()}}},
          {"ntp", {{"requests", requests}, {"answered", answered}}},
          {"leases", leases()},
          {"failures", failures}};
}

}  // namespace hilcop
