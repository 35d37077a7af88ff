// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/datagrams.h"

#include "network/analysis/recognise.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint16_t kDns = 53, kDhcpServer = 67, kDhcpClient = 68, kNtp = 123, kSsdp = 1900, kMdns = 5353, kLlmnr = 5355, kCoap = 5683;

void recognised(Flow* flow, std::string_view application, bool by_content) {
  if (flow == nullptr || !flow->application.empty()) return;
  flow->application = application;
  flow->by_content = by_content;
}

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
  if (payload.empty()) return 0;
  if (on(kMdns) || on(kLlmnr)) {
    if (read_dns(payload, seen, observations, true)) recognised(flow, on(kMdns) ? "mdns" : "llmnr", true);
  } else if (on(kDns)) {
    if (read_dns(payload, seen, observations, false)) recognised(flow, "dns", true);
  } else if (is_dhcp(payload) || on(kDhcpServer) || on(kDhcpClient)) {
    if (keep_parsed(parse_dhcp(payload), seen, observations, "dhcp")) recognised(flow, "dhcp", true);
  } else if (is_ssdp(payload) || on(kSsdp)) {
    if (keep_parsed(parse_ssdp(payload), seen, observations, "ssdp")) recognised(flow, "ssdp", true);
  } else if (on(kNtp)) {
    // Its bytes say little: any 48 of them may be NTP.
    if (keep_parsed(parse_ntp(payload), seen, observations, "ntp")) recognised(flow, "ntp", false);
  } else if (on(kCoap)) {
    if (keep_parsed(parse_coap(payload), seen, observations, "coap")) recognised(flow, "coap", false);
  } else if (const auto encrypted = recognise_encrypted(payload); !encrypted.empty()) {
    recognised(flow, encrypted, true);
    return payload.size();
  } else if (flow != nullptr && (flow->application == "quic" || flow->application == "dtls")) {
    return payload.size();
  } else if (looks_like_dns(payload)) {
    if (read_dns(payload, seen, observations, false)) recognised(flow, "dns", true);
  }
  return 0;
}

}  // namespace hilcop::analysis
