// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/datagrams.h"

#include "network/analysis/recognise.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint16_t kDns = 53, kDhcpServer = 67, kDhcpClient = 68, kNtp = 123, kSsdp = 1900, kMdns = 5353, kLlmnr = 5355, kCoap = 5683;

template <class T>
bool keep_parsed(std::optional<T> parsed, const Seen& seen, Observations& observations, const char* protocol) {
  if (!parsed) {
    ++observations.malformed[protocol];
    return false;
  }
  parsed->seen = seen;
  observations.add(std::move(*parsed));
  return true;
}

bool read_dns(Bytes payload, const Seen& seen, Observations& observations, bool multicast) {
  auto message = parse_dns(payload);
  if (!message) {
    ++observations.malformed["dns"];
    return false;
  }
  message->multicast = multicast;
  message->seen = seen;
  observations.add_dns(std::move(*message));
  return true;
}

}  // namespace

std::uint64_t read_datagram(Bytes payload, const Seen& seen, Flow* flow, Observations& observations) {
  const auto on = [&](std::uint16_t port) { return seen.from.port == port || seen.to.port == port; };
  const auto is = [&](bool so, std::string_view application, bool by_content) {
    if (flow != nullptr) flow->speaks(so ? application : "", so && by_content);
    return std::uint64_t{0};
  };
  if (payload.empty()) return 0;
  if (on(kMdns) || on(kLlmnr)) return is(read_dns(payload, seen, observations, true), on(kMdns) ? "mdns" : "llmnr", true);
  if (on(kDns)) return is(read_dns(payload, seen, observations, false), "dns", true);
  if (is_dhcp(payload) || on(kDhcpServer) || on(kDhcpClient))
    return is(keep_parsed(parse_dhcp(payload), seen, observations, "dhcp"), "dhcp", true);
  if (is_ssdp(payload) || on(kSsdp)) return is(keep_parsed(parse_ssdp(payload), seen, observations, "ssdp"), "ssdp", true);
  // Its bytes say little: any 48 of them may be NTP.
  if (on(kNtp)) return is(keep_parsed(parse_ntp(payload), seen, observations, "ntp"), "ntp", false);
  if (on(kCoap)) return is(keep_parsed(parse_coap(payload), seen, observations, "coap"), "coap", false);
  if (const auto encrypted = recognise_encrypted(payload); !encrypted.empty()) {
    is(true, encrypted, true);
    return payload.size();
  }
  if (flow != nullptr && (flow->application == "quic" || flow->application == "dtls")) return payload.size();
  return is(looks_like_dns(payload) && read_dns(payload, seen, observations, false), "dns", true);
}

}  // namespace hilcop::analysis
