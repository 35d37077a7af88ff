// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/ssdp.h"

#include "network/analysis/http1.h"

namespace hilcop::analysis {

bool is_ssdp(Bytes message) {
  const auto text = chars_of(message);
  return text.starts_with("M-SEARCH * HTTP/1.") || text.starts_with("NOTIFY * HTTP/1.");
}

std::optional<SsdpMessage> parse_ssdp(Bytes message) {
  const auto head = parse_http_head(chars_of(message));
  if (!head || (!is_ssdp(message) && !head->start.starts_with("HTTP/1."))) return std::nullopt;
  SsdpMessage made;
  made.start = ascii_of(head->start, 128);
  made.target = ascii_of(head->value("st") + head->value("nt"), 512);
  made.unique_name = ascii_of(head->value("usn"), 512);
  made.location = ascii_of(head->value("location"), 512);
  made.server = ascii_of(head->value("server"), 512);
  made.kind = ascii_of(head->value("nts"), 512);
  return made;
}

}  // namespace hilcop::analysis
