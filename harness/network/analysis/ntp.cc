// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/ntp.h"

namespace hilcop::analysis {

std::optional<NtpMessage> parse_ntp(Bytes bytes) {
  Cursor in(bytes);
  NtpMessage message;
  const auto first = in.u8();
  message.leap = first >> 6;
  message.version = first >> 3 & 7;
  message.mode = first & 7;
  message.stratum = in.u8();
  in.skip(10);
  const auto reference = in.take(4);
  in.skip(24);
  message.transmitted = in.u64();
  if (!in.ok() || message.version == 0 || message.mode == 0 || message.mode >= 6) return std::nullopt;
  if (message.stratum <= 1) message.reference = ascii_of(chars_of(reference).substr(0, chars_of(reference).find('\0')));
  message.authenticated = in.left() != 0;
  return message;
}

}  // namespace hilcop::analysis
