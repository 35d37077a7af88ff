// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "network/services/dns_records.h"

namespace hilcop::services {

/// What a client sends.
inline std::string dns_query(const std::string& name, DnsType type = DnsType::A, std::uint16_t id = 0x1234,
                             std::optional<std::uint16_t> udp_size = std::nullopt) {
  DnsMessage message;
  message.id = id;
  message.recursion_desired = true;
  message.questions = {{DnsName::of(name), type, kDnsInternet}};
  if (udp_size) message.edns = {*udp_size, 0, false, ""};
  return encode_dns(message, 512);
}

/// Read; the test fails where it is no message.
inline DnsMessage dns_message(std::string_view bytes) {
  auto found = parse_dns(bytes);
  EXPECT_TRUE(found.message) << found.problem;
  return found.message.value_or(DnsMessage());
}

/// "NOERROR A 198.18.0.1, A 198.18.0.2"
inline std::string dns_summary(std::string_view bytes) {
  const auto message = dns_message(bytes);
  auto text = to_string(message.code);
  for (const auto& record : message.answers) text += (&record == &message.answers[0] ? " " : ", ") + to_text(record);
  if (message.truncated) text += " truncated";
  return text;
}

}  // namespace hilcop::services
