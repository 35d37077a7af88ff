// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "network/services/dns_names.h"
#include "network/services/dns_rules.h"

namespace hilcop::services {

enum class DnsTransport { Udp, Tcp };
std::string to_string(DnsTransport transport);  // "udp"

/// What is to be said to a query, and why.
struct DnsReply {
  std::string bytes;     // empty: nothing is said
  Nanoseconds delay{0};  // before it
  std::optional<DnsQuestion> question;
  std::uint16_t id = 0;              // of the query
  std::string answered;              // "A 198.18.0.1", "NXDOMAIN", "nothing"; several records are parted by ", "
  std::vector<IpAddress> addresses;  // that it gave
  std::string rule;                  // "nxdomain for '*.example.com'", "" where none was for the name
  std::string problem;               // of what is no query that can be answered; `answered` says what is said to it all the same
};

/// Answers queries by rules: no sockets, no time. Never larger than the question allows. Not thread-safe, but the rules and names are.
class DnsResponder {
 public:
  /// `names` and `rules` outlive it. Without `ipv6` names have no AAAA records but those of rules.
  DnsResponder(DnsNames& names, const DnsRules& rules, bool ipv6) : names_(names), rules_(rules), ipv6_(ipv6) {}
  DnsReply reply(std::string_view query, DnsTransport transport);
  /// Of a server that says nothing: what was asked.
  static DnsReply silence(std::string_view query);

 private:
  struct Work;
  void answer(Work& work, const DnsRules::Found& found);
  void own_records(Work& work, const DnsRule& rule);
  void own_addresses(Work& work, const DnsName& name, std::uint32_t ttl);
  void reverse(Work& work, const DnsRule& rule);
  bool asked_before(const DnsQuestion& question, std::uint64_t setting);

  DnsNames& names_;
  const DnsRules& rules_;
  bool ipv6_;
  std::unordered_map<std::string, std::uint64_t> rebound_;  // name and type, to the setting of the rule that has answered them
};

}  // namespace hilcop::services
