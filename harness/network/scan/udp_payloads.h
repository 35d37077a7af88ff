// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace hilcop {

/// A datagram that a service of UDP must answer, if it is there: nothing else tells an open port from a silent one.
struct UdpPayload {
  std::string service;
  int port = 0;
  std::string bytes;
};

/// Those that hilcop knows: services that connected products are found to have. Each is a question that changes nothing.
const std::vector<UdpPayload>& udp_payloads();

}  // namespace hilcop
