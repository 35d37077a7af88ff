// SPDX-License-Identifier: Apache-2.0
// Any bytes as a DHCP message: what is read of it can be written and is read the same, and a server has an answer that fits.
#include <cstdlib>

#include "network/dhcp/dhcp_report.h"
#include "network/dhcp/dhcp_responder.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static DhcpResponder responder({Ipv4{0x0a4d0001}, 24, Ipv4{0x0a4d0032}, Ipv4{0x0a4d0034}, {}, {}, {}, "", std::chrono::hours(1)},
                                 "DHCP server");
  DhcpReport report;
  const auto read = read_dhcp({reinterpret_cast<const char*>(data), size});
  report.message = read.message;
  if (to_json(report).dump().size() > 32'768) std::abort();
  if (!read.fault.empty()) return 0;
  std::erase_if(report.message.options, [](const auto& option) { return option.code == dhcp_option::kOverload; });
  if (read_dhcp(dhcp_packet(report.message, 1u << 24)).message != report.message) std::abort();
  for (const auto& reply :
       responder.answer(read.message, size % 2 == 0 ? std::optional(Ipv4{0x0a4d0001}) : std::nullopt, SteadyTime(Nanoseconds(size)))
           .replies)
    if (const auto packet = dhcp_packet(reply.message); packet.size() > 548 || !read_dhcp(packet).fault.empty()) std::abort();
  return 0;
}
