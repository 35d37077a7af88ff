// SPDX-License-Identifier: Apache-2.0
// Any datagram as a packet: what is one is read and written back as it was, and its stamps are times.
#include <cstdlib>

#include "network/services/ntp_packet.h"

using namespace hilcop::services;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_ntp(bytes);
  if (parsed.packet.has_value() != parsed.problem.empty()) std::abort();
  if (!parsed.packet) return 0;
  if (parsed.packet->encode() != bytes.substr(0, 48) || parsed.packet->beyond != size - 48) std::abort();
  const hilcop::UtcTime now(std::chrono::seconds(1'800'000'000));
  const auto apart = parsed.packet->transmit.utc(now) - now;
  if (apart > std::chrono::years(69) || apart < -std::chrono::years(69)) std::abort();
  return 0;
}
