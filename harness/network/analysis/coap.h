// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// RFC 7252.
struct CoapMessage {
  Seen seen;
  std::uint8_t type = 0, code_class = 0, code_detail = 0;  // 0.01 GET, 0.02 POST, 0.03 PUT, 0.04 DELETE; 2.05 content...
  std::uint16_t id = 0;
  std::string host, path, query;  // printable
  std::size_t payload = 0;        // bytes
};
std::optional<CoapMessage> parse_coap(Bytes message);

}  // namespace hilcop::analysis
