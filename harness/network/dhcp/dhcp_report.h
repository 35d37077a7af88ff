// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "network/dhcp/dhcp_message.h"

namespace hilcop {

struct DhcpAnswered {
  DhcpMessage message;
  std::string way;      // "broadcast", "address" (the client has it), "hardware" (it has none yet)
  std::string failure;  // why it was not sent; "": it was
};

/// One message that came to a DHCP server, and what was done about it. A value.
struct DhcpReport {
  SteadyTime steady, answered;  // when it was taken from the socket; when the last answer was sent
  UtcTime utc;
  Ipv4 source;
  DhcpMessage message;                // of a malformed one what could be read
  std::vector<std::string> oddities;  // of one that is sound all the same
  std::string malformed;              // why it is none; "": it is one
  std::size_t size = 0;               // of the packet
  std::string excerpt;                // of a malformed one: its first 64 bytes in hex
  std::string situation;              // see DhcpDecision
  std::string reason;
  std::vector<std::string> faults;
  std::vector<DhcpAnswered> answers;
};

/// For the timeline: kind, mac, client_address, host_name, vendor_class, client_id, parameters, options in their order (value in hex),
/// answers, faults. Text of the device is escaped; one message makes at most about 16 KiB.
nlohmann::json to_json(const DhcpReport& report);

}  // namespace hilcop
