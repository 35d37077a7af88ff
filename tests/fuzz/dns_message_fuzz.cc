// SPDX-License-Identifier: Apache-2.0
// Any bytes as a message: it ends; what is read can be written and is read the same; and the server's answer is a message that fits.
#include <cstdlib>

#include "network/services/dns_responder.h"

using namespace hilcop::services;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto parsed = parse_dns(bytes); parsed.message) {
    const auto written = encode_dns(*parsed.message, kDnsMostTcp);
    const auto again = parse_dns(written);
    if (!again.message || encode_dns(*again.message, kDnsMostTcp) != written) std::abort();
    for (const auto& question : parsed.message->questions)
      if (!(DnsName::of(question.name.text()) == question.name)) std::abort();
  }
  static DnsNames names;
  static const DnsRules rules;
  const auto reply = DnsResponder(names, rules, true).reply(bytes, DnsTransport::Udp);
  if (reply.bytes.size() > 1232 || (!reply.bytes.empty() && !parse_dns(reply.bytes).message)) std::abort();
  return 0;
}
