// SPDX-License-Identifier: Apache-2.0
// Any bytes as both sides of a TCP connection to each dissector, cut into pieces of the first byte's size; every third piece is lost.
#include "network/analysis/connection_reader.h"

using namespace hilcop::analysis;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static CanarySearch search(std::vector<Canary>{{"psk", "hunter2hunter2"}});
  CaptureReport report;
  std::vector<Flow> flows(1);
  ConnectionReader reader({}, 0, report, flows, search);
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(2);
  const std::size_t step = data[0] % 64 + 1u;
  for (std::size_t at = 0, i = 0; at < bytes.size(); at += step, ++i) {
    const auto piece = bytes.subspan(at, std::min(step, bytes.size() - at));
    const auto side = (data[1] >> i % 8 & 1) != 0 ? Side::Server : Side::Client;
    if (data[1] == 0xa5 && i % 3 == 2)
      reader.gap(side, at, piece.size(), GapReason::NotCaptured);
    else
      reader.data(side, {piece, at, {i + 1, at, 0, static_cast<std::uint32_t>(piece.size())}, {}});
  }
  reader.end();
  to_json(report).dump();
  return 0;
}
