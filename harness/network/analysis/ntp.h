// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// RFC 5905; SNTP too.
struct NtpMessage {
  Seen seen;
  std::uint8_t version = 0, mode = 0, stratum = 0, leap = 0;  // mode 3: client, 4: server
  std::string reference;                                      // printable: of stratum 0 a kiss-o'-death code, of 1 a kind of clock
  std::uint64_t transmitted = 0;                              // 32.32 fixed point, seconds since 1900
  bool authenticated = false;                                 // something follows the 48 bytes: a MAC, or extension fields (NTS)
};
std::optional<NtpMessage> parse_ntp(Bytes message);

}  // namespace hilcop::analysis
