// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/services/dns_name.h"

namespace hilcop::services {

/// Other numbers occur (https://www.iana.org/assignments/dns-parameters).
enum class DnsType : std::uint16_t {
  A = 1,
  Ns = 2,
  Cname = 5,
  Soa = 6,
  Ptr = 12,
  Mx = 15,
  Txt = 16,
  Aaaa = 28,
  Srv = 33,
  Dname = 39,
  Opt = 41,
  Https = 65,
  Any = 255
};
std::string to_string(DnsType type);  // "AAAA"; "TYPE4711" where it has no name here (RFC 3597)

enum class DnsCode : std::uint16_t { NoError = 0, FormErr = 1, ServFail = 2, NxDomain = 3, NotImp = 4, Refused = 5, BadVers = 16 };
std::string to_string(DnsCode code);  // "NXDOMAIN", "RCODE11"

inline constexpr std::uint16_t kDnsInternet = 1;  // the class of every name that a device asks for

struct DnsQuestion {
  DnsName name;
  DnsType type = DnsType::A;
  std::uint16_t klass = kDnsInternet;
};

struct DnsRecord {
  DnsName name;
  DnsType type = DnsType::A;
  std::uint16_t klass = kDnsInternet;
  std::uint32_t ttl = 0;  // seconds
  std::string data;       // names in it stand uncompressed
};

/// What the OPT record of a message says (RFC 6891).
struct DnsEdns {
  std::uint16_t udp_size = 0;
  std::uint8_t version = 0;
  bool dnssec_ok = false;
  std::string options;  // as they came
};

/// A message of DNS (RFC 1035 4.1). A value.
struct DnsMessage {
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;  // 0: a query
  bool response = false, authoritative = false, truncated = false, recursion_desired = false, recursion_available = false,
       authentic_data = false, checking_disabled = false;
  DnsCode code = DnsCode::NoError;  // with the bits that EDNS adds
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> answers, authorities, additionals;
  std::optional<DnsEdns> edns;  // is not among the additionals
};

struct DnsParse {
  std::optional<DnsMessage> message;
  std::string problem;  // why there is none: "byte 12: a pointer that does not point back"
};

/// Whatever the bytes are, it ends: in time linear in them, with at most some 100 bytes of memory for each. Strict: what is not a whole
/// message, with nothing after it, is none. Does not throw.
DnsParse parse_dns(std::string_view bytes);

/// The bytes of a message, at most `limit` of them (512 or more). Where they would be more, TC is set and no record but OPT is in it, so
/// that who asked comes back over TCP (RFC 2181 9). Names are compressed where they were written in the same case.
std::string encode_dns(const DnsMessage& message, std::size_t limit);

inline constexpr std::size_t kDnsHeader = 12, kDnsLeastUdp = 512, kDnsMostTcp = 65535;

}  // namespace hilcop::services
