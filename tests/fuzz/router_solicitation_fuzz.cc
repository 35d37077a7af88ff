// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a device asks the router: it ends, and only what RFC 4861 6.1.1 takes is one.
#include <cstdlib>

#include "network/dhcp/router_advertisement.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  for (const bool from_nobody : {false, true}) {
    const auto read = read_router_solicitation(packet, 255, from_nobody);
    if (read.fault.empty() && (size < 8 || data[0] != 133 || data[1] != 0)) std::abort();
    if (read_router_solicitation(packet, 254, from_nobody).fault.empty()) std::abort();  // it came from beyond the link
  }
  return 0;
}
