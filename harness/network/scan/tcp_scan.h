// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "network/scan/tcp_probe.h"

namespace hilcop {

struct TcpScanOptions {
  std::string address, interface;  // of the device; of this network, for a link-local address
  std::vector<int> ports;          // empty: all, 1 to 65535
  double rate = 1000;              // probes a second at most; 10 to 50,000
  int tries = 3;                   // of a port that says nothing; 1 to 10
  Nanoseconds answer_within = 1s;
  Nanoseconds gone_after = 30s;  // without an answer to any heartbeat
  std::uint64_t seed = 1;        // of the order in which ports are asked
};

struct OpenPort {
  int port = 0;
  bool confirmed = false;  // a second connection after the scan was accepted too
};

/// How the device bore it: beats are echo requests, or connections to a port that answers where it answers none.
struct ScanHeartbeat {
  std::string kind;  // "echo", "closed port", "open port"; empty: nothing of the device ever answered
  std::uint64_t beats = 0, missed = 0;
  Nanoseconds at_rest{0}, median{0}, worst{0};  // round trips: before the first probe; of all beats
  double slowest_rate = 0;                      // that the probes were slowed down to
  Nanoseconds held{0};                          // that none were sent, for it did not answer
};

struct TcpScanResult {
  std::vector<OpenPort> open;  // by number, as are the others
  std::size_t closed = 0;
  std::vector<int> filtered;
  std::vector<int> not_known;  // not asked often enough when it ended
  std::string incomplete;      // why an absence proves nothing; empty: every port was asked, and it was there all the time
  std::uint64_t probes = 0;
  Nanoseconds took{0};
  ScanHeartbeat heartbeat;
};

/// Asks every port for a connection, gently: as fast as its heartbeat bears it, a port that says nothing again after all others, and
/// nothing that was asked while the device did not answer counts. Blocks until it is through, the deadline has come (what is known by then
/// is the result) or the device has been gone for too long. Throws Error{Config, Exhausted, PermissionDenied}, Interrupted.
TcpScanResult scan_tcp(const TcpScanOptions& options, Deadline deadline);

}  // namespace hilcop
