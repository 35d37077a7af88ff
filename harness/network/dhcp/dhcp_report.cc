// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/dhcp_report.h"

#include <algorithm>

#include <fmt/format.h>

namespace hilcop {
namespace {

// No device has so many; what is more is counted.
constexpr std::size_t kMostDhcpToldOptions = 128, kMostDhcpToldBytes = 2048;

std::string dhcp_hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

nlohmann::json dhcp_options_json(const DhcpMessage& message) {
  nlohmann::json list = nlohmann::json::array();
  std::size_t bytes = 0;
  for (const auto& option : message.options) {
    bytes += option.bytes.size();
    if (list.size() >= kMostDhcpToldOptions || bytes > kMostDhcpToldBytes) break;
    list.push_back({{"code", option.code}, {"hex", dhcp_hex(option.bytes)}});
  }
  return list;
}

void add_dhcp_text(nlohmann::json& to, const char* name, const std::optional<std::string>& bytes) {
  if (bytes) to[name] = escaped_bytes(std::string_view(*bytes).substr(0, 255));
}

nlohmann::json dhcp_message_json(const DhcpMessage& message) {
  nlohmann::json told{{"kind", to_string(message.kind())}, {"transaction", fmt::format("{:08x}", message.transaction)}};
  if (message.client != Ipv4{}) told["client_address"] = message.client.text();
  if (message.yours != Ipv4{}) told["your_address"] = message.yours.text();
  if (const auto wish = message.address(dhcp_option::kRequestedAddress)) told["requested_address"] = wish->text();
  if (const auto server = message.address(dhcp_option::kServer)) told["server"] = server->text();
  if (const auto lease = message.number(dhcp_option::kLeaseTime)) told["lease_s"] = *lease;
  told["options"] = dhcp_options_json(message);
  if (told["options"].size() < message.options.size()) told["options_in_all"] = message.options.size();
  return told;
}

}  // namespace

nlohmann::json to_json(const DhcpReport& report) {
  const auto& message = report.message;
  nlohmann::json told = dhcp_message_json(message);
  told["mac"] = message.hardware_text();
  if (report.source != Ipv4{}) told["source"] = report.source.text();
  add_dhcp_text(told, "host_name", message.option(dhcp_option::kHostName));
  add_dhcp_text(told, "vendor_class", message.option(dhcp_option::kVendorClass));
  if (const auto fqdn = message.fqdn()) add_dhcp_text(told, "fqdn", fqdn->name);
  if (const auto id = message.option(dhcp_option::kClientId)) told["client_id"] = dhcp_hex(std::string_view(*id).substr(0, 255));
  if (const auto size = message.most_size()) told["most_size"] = *size;
  const auto parameters = message.parameters();
  told["parameters"] =
      std::vector(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(parameters.size(), 255)));
  if (!report.oddities.empty()) told["oddities"] = report.oddities;
  if (!report.malformed.empty()) told.update({{"malformed", report.malformed}, {"size", report.size}, {"excerpt", report.excerpt}});
  if (!report.situation.empty()) told["situation"] = report.situation;
  if (!report.reason.empty()) told["reason"] = report.reason;
  told["faults"] = report.faults;
  told["answers"] = nlohmann::json::array();
  for (const auto& answer : report.answers) {
    nlohmann::json made = dhcp_message_json(answer.message);
    made["way"] = answer.way;
    if (!answer.failure.empty()) made["failure"] = answer.failure;
    told["answers"].push_back(std::move(made));
  }
  if (!report.answers.empty()) told["answered_after_ns"] = (report.answered - report.steady).count();
  return told;
}

}  // namespace hilcop
