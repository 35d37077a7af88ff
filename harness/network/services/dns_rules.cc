// SPDX-License-Identifier: Apache-2.0
#include "network/services/dns_rules.h"

#include <utility>

#include "base/error.h"

namespace hilcop::services {
namespace {

constexpr Nanoseconds kLongestDelay = 1h;

void check_rule(const std::string& pattern, const DnsRule& rule) {
  const auto wrong = [&](const std::string& why, const char* remedy) {
    return Error(ErrorKind::Config, "DNS rule for '" + pattern + "'", why, remedy);
  };
  using enum DnsRule::Kind;
  const bool lies = rule.kind == Address || rule.kind == Spoof || rule.kind == Rebind;
  if (lies && rule.addresses.empty()) throw wrong(to_string(rule.kind) + " has no address", "give it one or more");
  if (rule.kind == Rebind && rule.then.empty()) throw wrong("rebind has no address to change to", "give it one or more");
  if (rule.delay < Nanoseconds(0) || rule.delay > kLongestDelay)
    throw wrong("its delay is not between 0 and an hour", "choose one that is");
  DnsMessage message;
  message.answers = rule.records;
  if (!rule.records.empty() && !parse_dns(encode_dns(message, kDnsMostTcp)).message)
    throw wrong("a record has data that its type cannot have", "make it by dns_records.h");
}

}  // namespace

std::string to_string(DnsRule::Kind kind) {
  using enum DnsRule::Kind;
  constexpr std::pair<DnsRule::Kind, const char*> kKinds[] = {
      {Answer, "answer"},      {Address, "address"}, {Spoof, "spoof"},     {Rebind, "rebind"},    {NxDomain, "nxdomain"},
      {ServFail, "servfail"},  {Refused, "refused"}, {Silence, "silence"}, {WrongId, "wrong_id"}, {CompressionLoop, "compression_loop"},
      {Truncated, "truncated"}};
  for (const auto& [known, text] : kKinds)
    if (known == kind) return text;
  return "?";
}

DnsRules::Table& DnsRules::table_of(const std::string& pattern, DnsName& name) {
  const bool suffix = pattern == "*" || pattern.starts_with("*.");
  name = pattern == "*" ? DnsName() : DnsName::of(suffix ? pattern.substr(2) : pattern);
  return suffix ? suffixes_ : names_;
}

void DnsRules::set(const std::string& pattern, DnsRule rule) {
  check_rule(pattern, rule);
  DnsName name;
  const std::scoped_lock lock(mutex_);
  table_of(pattern, name)[name.folded()] = {pattern, std::move(rule), ++number_};
}

bool DnsRules::remove(const std::string& pattern) {
  DnsName name;
  const std::scoped_lock lock(mutex_);
  return table_of(pattern, name).erase(name.folded()) > 0;
}

void DnsRules::clear() {
  const std::scoped_lock lock(mutex_);
  names_.clear();
  suffixes_.clear();
}

DnsRules::Found DnsRules::find(const DnsName& name) const {
  const auto folded = name.folded();
  const std::scoped_lock lock(mutex_);
  if (const auto exact = names_.find(folded); exact != names_.end()) return exact->second;
  // Every suffix but the whole name, the longest first; the root's is last. "*" is for the root as well.
  std::string_view rest = folded;
  while (rest.size() > 1) {
    rest.remove_prefix(1u + static_cast<unsigned char>(rest[0]));
    if (const auto found = suffixes_.find(std::string(rest)); found != suffixes_.end()) return found->second;
  }
  if (const auto all = suffixes_.find(folded); name.is_root() && all != suffixes_.end()) return all->second;
  return {};
}

}  // namespace hilcop::services
