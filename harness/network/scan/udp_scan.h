// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/deadline.h"
#include "network/scan/udp_payloads.h"

namespace hilcop {

struct UdpScanOptions {
  std::string address, interface;  // of the device; of this network, for a link-local address
  std::vector<UdpPayload> payloads;
  int tries = 3;                   // of each, 1 to 10
  Nanoseconds answer_within = 1s;  // 10 ms to 30 s
};

/// Silent is not closed: the service may not know the question, and a device need not say that a port is closed.
enum class UdpState { Answered, Closed, Silent };
const char* name_of(UdpState state);

struct UdpPort {
  std::string service;
  int port = 0;
  UdpState state = UdpState::Silent;
  int from_port = 0;     // that answered: another than was asked, of TFTP for one
  std::string answer;    // its first bytes, kMostKept at most
  std::size_t size = 0;  // of the answer

  static constexpr std::size_t kMostKept = 256;
};

struct UdpScanResult {
  std::vector<UdpPort> ports;  // in the order of the payloads
  bool complete = false;       // all were asked as often as they should, and somebody was there
};

/// Asks each service with its own question, ten a second. Answers alone tell that something is there. Blocks until all have answered or
/// were asked often enough, or the deadline. Throws Error{Config, Exhausted}, Interrupted.
UdpScanResult scan_udp(const UdpScanOptions& options, Deadline deadline);

}  // namespace hilcop
