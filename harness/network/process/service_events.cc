// SPDX-License-Identifier: Apache-2.0
#include "network/process/service_events.h"

#include <array>

#include "base/error.h"
#include "network/process/asked.h"

namespace hilcop {

using nlohmann::json;
using services::DnsExchange;
using services::DnsRule;
using services::NtpBehaviour;
using services::NtpExchange;

namespace {

std::string fate_of(const DnsExchange& exchange) {
  switch (exchange.fate) {
    case DnsExchange::Fate::Waiting:
      return "waiting";
    case DnsExchange::Fate::Answered:
      return "answered";
    case DnsExchange::Fate::Silent:
      return "silent";
    case DnsExchange::Fate::Failed:
      return "failed";
  }
  return "failed";
}

std::string fate_of(const NtpExchange& exchange) {
  static const std::array<const char*, 6> kNames{"waiting", "answered", "silent", "failed", "malformed", "control"};
  return kNames.at(static_cast<std::size_t>(exchange.fate));
}

std::string kind_of(RouterReport::Kind kind) {
  static const std::array<const char*, 5> kNames{"solicited", "malformed", "advertised", "not_sent", "ignored"};
  return kNames.at(static_cast<std::size_t>(kind));
}

json answered_ns(const std::optional<SteadyTime>& at) { return at ? json(to_ns(*at)) : json(); }

template <typename Kind>
Kind kind_named(const std::string& name, std::initializer_list<Kind> kinds, const std::string& object) {
  std::string names;
  for (const auto kind : kinds) {
    if (to_string(kind) == name) return kind;
    names += (names.empty() ? "" : ", ") + to_string(kind);
  }
  throw Error(ErrorKind::Config, object, "knows no '" + name + "'", "choose one of: " + names);
}

std::vector<services::IpAddress> addresses_of(const json& list) {
  std::vector<services::IpAddress> addresses;
  for (const auto& text : list) addresses.push_back(services::IpAddress::of(text.get<std::string>()));
  return addresses;
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  if (!(seconds > -1e12 && seconds < 1e12)) throw Error(ErrorKind::Config, "NTP server", "cannot be so far from the truth");
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

Nanoseconds delay_of(const json& how) { return seconds_asked(how, "delay_s", 3600, "bench network"); }

}  // namespace

json to_json(const DnsExchange& exchange) {
  json addresses = json::array();
  for (const auto& address : exchange.addresses) addresses.push_back(address.text());
  return {{"number", exchange.number},
          {"transport", exchange.transport == services::DnsTransport::Udp ? "udp" : "tcp"},
          {"client", exchange.client.text()},
          {"aimed_at", exchange.aimed_at.text()},
          {"redirected", exchange.redirected},
          {"name", exchange.name},
          {"type", exchange.type},
          {"answered", exchange.answered},
          {"rule", exchange.rule},
          {"addresses", addresses},
          {"fate", fate_of(exchange)},
          {"answered_ns", answered_ns(exchange.answered_at)},
          {"problem", exchange.problem},
          {"excerpt", exchange.excerpt}};
}

json to_json(const NtpExchange& exchange) {
  return {{"number", exchange.number},         {"client", exchange.client.text()}, {"aimed_at", exchange.aimed_at.text()},
          {"redirected", exchange.redirected}, {"version", exchange.version},      {"size", exchange.size},
          {"fate", fate_of(exchange)},         {"answered", exchange.answered},    {"answered_ns", answered_ns(exchange.answered_at)},
          {"problem", exchange.problem},       {"excerpt", exchange.excerpt}};
}

json to_json(const RouterReport& report) { return {{"kind", kind_of(report.kind)}, {"source", report.source.text()}, {"why", report.why}}; }

DnsRule dns_rule_of(const json& how) {
  using Kind = DnsRule::Kind;
  DnsRule rule;
  rule.kind = kind_named(how.at("kind").get<std::string>(),
                         {Kind::Answer, Kind::Address, Kind::Spoof, Kind::Rebind, Kind::NxDomain, Kind::ServFail, Kind::Refused,
                          Kind::Silence, Kind::WrongId, Kind::CompressionLoop, Kind::Truncated},
                         "DNS server");
  rule.addresses = addresses_of(how.value("addresses", json::array()));
  rule.then = addresses_of(how.value("then", json::array()));
  rule.delay = delay_of(how);
  rule.ttl = how.value("ttl_s", 30U);
  return rule;
}

NtpBehaviour ntp_behaviour_of(const json& how) {
  using Kind = NtpBehaviour::Kind;
  NtpBehaviour behaviour;
  behaviour.kind = kind_named(how.value("kind", "answer"), {Kind::Answer, Kind::KissOfDeath, Kind::Stratum16, Kind::Silence}, "NTP server");
  behaviour.kiss = how.value("kiss", behaviour.kiss);
  behaviour.offset = milliseconds_of(how.value("offset_s", 0.0));
  behaviour.step = milliseconds_of(how.value("step_s", 0.0));
  behaviour.step_after = how.value("step_after", std::uint64_t{0});
  behaviour.delay = delay_of(how);
  return behaviour;
}

}  // namespace hilcop
