// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/dhcp_message.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hilcop {

std::string to_string(DhcpKind kind) {
  static constexpr std::array<const char*, 9> kNames{"none", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"};
  const auto number = static_cast<std::size_t>(kind);
  return number < kNames.size() ? kNames[number] : kNames[0];
}

std::optional<std::string> DhcpMessage::option(std::uint8_t code) const {
  std::optional<std::string> joined;
  for (const auto& part : options)
    if (part.code == code) joined = joined.value_or("") + part.bytes;
  return joined;
}

DhcpKind DhcpMessage::kind() const {
  const auto value = option(dhcp_option::kKind);
  if (!value || value->size() != 1) return DhcpKind::None;
  const auto number = static_cast<std::uint8_t>(value->front());
  return number <= static_cast<std::uint8_t>(DhcpKind::Inform) ? DhcpKind(number) : DhcpKind::None;
}

std::optional<Ipv4> DhcpMessage::address(std::uint8_t code) const {
  const auto value = option(code);
  return value && value->size() == 4 ? std::optional(Ipv4::of_bytes(*value)) : std::nullopt;
}

std::optional<std::uint32_t> DhcpMessage::number(std::uint8_t code) const {
  const auto value = address(code);
  return value ? std::optional(value->value) : std::nullopt;
}

std::vector<std::uint8_t> DhcpMessage::parameters() const {
  const auto value = option(dhcp_option::kParameters).value_or("");
  return {value.begin(), value.end()};
}

std::optional<std::uint16_t> DhcpMessage::most_size() const {
  const auto value = option(dhcp_option::kMostSize);
  if (!value || value->size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>(Ipv4::of_bytes(*value).value);
}

std::optional<DhcpFqdn> DhcpMessage::fqdn() const {
  const auto value = option(dhcp_option::kFqdn);
  if (!value || value->size() < 3) return std::nullopt;
  DhcpFqdn found{static_cast<std::uint8_t>(value->front()), value->substr(3)};  // flags and two bytes of no use any more
  if ((found.flags & 4) == 0) return found;
  // Labels as DNS has them (RFC 4702 2.1), without compression; what is none of them stays as it came.
  std::string dotted;
  for (std::size_t at = 0; at < found.name.size();) {
    const auto size = static_cast<unsigned char>(found.name[at]);
    if (size > 63 || size > found.name.size() - at - 1) return found;
    if (size == 0) break;
    dotted += (dotted.empty() ? "" : ".") + found.name.substr(at + 1, size);
    at += 1u + size;
  }
  found.name = dotted;
  return found;
}

std::string DhcpMessage::hardware_text() const {
  std::string text = hardware_type == 1 ? "" : fmt::format("{}/", hardware_type);
  for (std::size_t i = 0; i < hardware.size(); ++i)
    text += fmt::format("{}{:02x}", i == 0 ? "" : ":", static_cast<unsigned char>(hardware[i]));
  return text;
}

std::string escaped_bytes(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes)
    if (byte < 0x20 || byte >= 0x7f || byte == '\\')
      text += fmt::format("\\x{:02x}", byte);
    else
      text += static_cast<char>(byte);
  return text;
}

}  // namespace hilcop
