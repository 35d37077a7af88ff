// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/coap.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint32_t kUriHost = 3, kUriPath = 11, kUriQuery = 15;

// 3.1: 13 and 14 are followed by the rest of the number, 15 is kept for the payload's marker.
std::uint32_t extended(Cursor& in, std::uint32_t nibble, bool& good) {
  if (nibble == 13) return in.u8() + 13u;
  if (nibble == 14) return in.u16() + 269u;
  if (nibble == 15) good = false;
  return nibble;
}

}  // namespace

std::optional<CoapMessage> parse_coap(Bytes bytes) {
  Cursor in(bytes);
  CoapMessage message;
  const auto first = in.u8(), code = in.u8();
  message.type = first >> 4 & 3;
  message.code_class = code >> 5;
  message.code_detail = code & 31;
  message.id = in.u16();
  in.skip(first & 15u);
  if (!in.ok() || first >> 6 != 1 || (first & 15) > 8) return std::nullopt;
  if (code == 0 && in.left() != 0) return std::nullopt;  // 4.1: an empty message has nothing more
  std::uint32_t number = 0;
  bool good = true;
  while (in.left() != 0) {
    const auto head = in.u8();
    if (head == 0xff) {
      message.payload = in.left();
      if (message.payload == 0) return std::nullopt;
      break;
    }
    number += extended(in, head >> 4, good);
    const auto value = in.take(extended(in, head & 15u, good));
    if (!in.ok() || !good) return std::nullopt;
    if (number == kUriHost) message.host = ascii_of(value);
    if (number == kUriPath && message.path.size() < 4096) message.path += "/" + ascii_of(value);
    if (number == kUriQuery && message.query.size() < 4096) message.query += (message.query.empty() ? "" : "&") + ascii_of(value);
  }
  return message;
}

}  // namespace hilcop::analysis
