// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

struct DhcpMessage {
  Seen seen;
  std::uint8_t type = 0;  // option 53: 1 discover, 2 offer, 3 request, 4 decline, 5 ack, 6 nak, 7 release, 8 inform; 0: BOOTP
  std::uint32_t transaction = 0;
  std::string client_mac, host_name, vendor_class, domain;  // printable
  IpAddress offered, requested, server;
  std::uint32_t lease_s = 0;
  std::vector<std::uint8_t> parameter_list;  // option 55, in the order asked: a fingerprint
  std::vector<std::uint8_t> options;         // codes in the order sent
};

/// RFC 2131, 2132, with options in `sname` and `file` where 52 says so. Nothing where it is malformed.
std::optional<DhcpMessage> parse_dhcp(Bytes message);
/// Whether the magic cookie stands where it must.
bool is_dhcp(Bytes message);

}  // namespace hilcop::analysis
