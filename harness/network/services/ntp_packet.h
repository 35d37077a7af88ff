// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace hilcop::services {

/// A stamp of NTP: seconds since 1900 in 2^-32 s, without the era that they are of (RFC 5905 6). 2036-02-07T06:28:16Z is 0 again.
struct NtpTime {
  std::uint64_t value = 0;
  /// What a clock shows that is `ahead` of UTC, many thousand years before or after it.
  static NtpTime of(UtcTime utc, std::chrono::milliseconds ahead = std::chrono::milliseconds(0));
  /// In that era that lies nearest to `near`.
  UtcTime utc(UtcTime near) const;
  bool operator==(const NtpTime&) const = default;
};

enum class NtpMode : std::uint8_t {
  Reserved = 0,
  Active = 1,
  Passive = 2,
  Client = 3,
  Server = 4,
  Broadcast = 5,
  Control = 6,
  Private = 7
};
std::string to_string(NtpMode mode);  // "client", "control"

/// The first 48 bytes of a packet (RFC 5905 7.3); SNTP's are the same (RFC 4330).
struct NtpPacket {
  std::uint8_t leap = 0;  // 3: not synchronized
  std::uint8_t version = 4;
  NtpMode mode = NtpMode::Client;
  std::uint8_t stratum = 0;                           // 0: a kiss of death, 16: not synchronized
  std::int8_t poll = 0, precision = 0;                // log2 of seconds
  std::uint32_t root_delay = 0, root_dispersion = 0;  // 2^-16 s
  std::string reference_id = std::string(4, '\0');
  NtpTime reference, origin, receive, transmit;
  std::size_t beyond = 0;  // bytes after these: extensions and a signature, which are not read

  std::string encode() const;  // 48 bytes
};

struct NtpParse {
  /// Its mode is known even where there is no packet: modes 6 and 7 look different.
  std::optional<NtpMode> mode;
  std::optional<NtpPacket> packet;
  std::string problem;  // why there is none
};
/// Whatever the bytes are. Does not throw.
NtpParse parse_ntp(std::string_view bytes);

}  // namespace hilcop::services
