// SPDX-License-Identifier: Apache-2.0
// Any bytes as the payload of a datagram: its first byte chooses the port.
#include "network/analysis/datagrams.h"

using namespace hilcop::analysis;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint16_t kPorts[] = {53, 67, 123, 1900, 5353, 5683, 443, 9999};
  if (size == 0) return 0;
  Observations observations;
  Flow flow;
  Seen seen;
  seen.to.port = kPorts[data[0] % std::size(kPorts)];
  read_datagram(std::as_bytes(std::span(data, size)).subspan(1), seen, &flow, observations);
  to_json(observations).dump();
  return 0;
}
