// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "network/analysis/flows.h"

namespace hilcop::analysis {

/// Reads one UDP payload by what it is: DHCP, DNS, mDNS, LLMNR, SSDP, NTP, CoAP. `seen` has its ends and its places. `flow`: its, or
/// nullptr; learns its application. Returns how many bytes are encrypted.
std::uint64_t read_datagram(Bytes payload, const Seen& seen, Flow* flow, Observations& observations);

}  // namespace hilcop::analysis
