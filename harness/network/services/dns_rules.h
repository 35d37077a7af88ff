// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "network/services/dns_message.h"
#include "network/services/endpoint.h"

namespace hilcop::services {

/// What is done with queries for a name.
struct DnsRule {
  enum class Kind {
    Answer,           // `records`; else the name's own address of DnsNames
    Address,          // `addresses`
    Spoof,            // `addresses`, which are a lie: the same on the wire, another word in the record
    Rebind,           // `addresses` the first time that a name is asked for, and `then` ever after
    NxDomain,         // there is no such name
    ServFail,         // the server cannot tell
    Refused,          // the server does not want to tell
    Silence,          // nothing is said
    WrongId,          // a sound answer to a query that nobody has made: its number is another
    CompressionLoop,  // an answer whose name is a pointer to itself
    Truncated,        // over UDP nothing but TC; a sound answer over TCP
  };
  Kind kind = Kind::Answer;
  std::vector<IpAddress> addresses = {}, then = {};
  /// Of Answer, in place of its addresses: those of the type that was asked for, else a CNAME with the address of where it leads.
  std::vector<DnsRecord> records = {};
  /// Before anything is said. Other queries are served meanwhile.
  Nanoseconds delay{0};
  std::uint32_t ttl = 30;  // seconds; of Rebind's first answer 0
};
std::string to_string(DnsRule::Kind kind);  // "nxdomain", "compression_loop"

/// The rules of a server by names: "www.example.com" is that name, "*.example.com" all names below it, "*" all names. The one that says
/// most of a name is used: the name itself, then the longest suffix. Thread-safe.
class DnsRules {
 public:
  /// In place of the one that is there for it. Throws Error{Config}: the pattern is none, or the rule lacks what its kind needs.
  void set(const std::string& pattern, DnsRule rule);
  /// False: there was none for it.
  bool remove(const std::string& pattern);
  void clear();

  struct Found {
    std::string pattern;       // as it was set; "": no rule is for it
    DnsRule rule;              // Answer, where no rule is for it
    std::uint64_t number = 0;  // of the setting: another one for each set()
  };
  Found find(const DnsName& name) const;

 private:
  using Table = std::unordered_map<std::string, Found>;  // by folded name
  Table& table_of(const std::string& pattern, DnsName& name);
  mutable std::mutex mutex_;
  Table names_, suffixes_;
  std::uint64_t number_ = 0;
};

}  // namespace hilcop::services
