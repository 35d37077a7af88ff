// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

struct DnsQuestion {
  std::string name;  // printable, lower case, without the last dot
  std::uint16_t type = 0;
};

struct DnsRecord {
  std::string name;
  std::uint16_t type = 0;
  std::uint32_t ttl_s = 0;
  IpAddress address;  // of A and AAAA
  std::string text;   // of CNAME, PTR, NS, SRV (with its port), TXT; else empty
};

/// RFC 1035, mDNS (RFC 6762), LLMNR.
struct DnsMessage {
  Seen seen;
  bool multicast = false, response = false, truncated = false;
  std::uint16_t id = 0;
  std::uint8_t code = 0;  // 0 no error, 2 SERVFAIL, 3 NXDOMAIN...
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> answers;  // authority and additional records too
};

/// Nothing where it is malformed (a compression loop is).
std::optional<DnsMessage> parse_dns(Bytes message);
/// Of any bytes on any port: a whole message of known types and classes, and nothing after it.
bool looks_like_dns(Bytes message);

/// DNS over TCP (RFC 7766).
class DnsStream final : public StreamDissector {
 public:
  explicit DnsStream(StreamContext& context) : context_(context) {}
  void data(Side side, Bytes bytes, std::uint64_t offset) override;
  void gap(Side side) override;

 private:
  StreamContext& context_;
  std::string held_[2];
  std::uint64_t begin_[2] = {};
  bool lost_[2] = {};
};

}  // namespace hilcop::analysis
