// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// UPnP Device Architecture 2.0, 1.
struct SsdpMessage {
  Seen seen;
  std::string start;                                        // "M-SEARCH * HTTP/1.1", "NOTIFY * HTTP/1.1", "HTTP/1.1 200 OK"
  std::string target, unique_name, location, server, kind;  // ST or NT, USN, LOCATION, SERVER, NTS; printable
};
std::optional<SsdpMessage> parse_ssdp(Bytes message);
bool is_ssdp(Bytes message);

}  // namespace hilcop::analysis
