// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/dhcp.h"

#include <fmt/format.h>

namespace hilcop::analysis {
namespace {

constexpr std::size_t kCookieAt = 236, kServerNameAt = 44, kFileAt = 108;
constexpr std::uint32_t kCookie = 0x63825363;

// False: an option is longer than what holds it.
bool read_dhcp_options(Bytes bytes, DhcpMessage& message, std::uint8_t& overload) {
  Cursor in(bytes);
  while (in.left() != 0) {
    const auto code = in.u8();
    if (code == 0) continue;
    if (code == 255) return true;
    const auto value = in.take(in.u8());
    if (!in.ok()) return false;
    message.options.push_back(code);
    Cursor number(value);
    switch (code) {
      case 12:
        message.host_name += ascii_of(value);
        break;
      case 15:
        message.domain += ascii_of(value);
        break;
      case 50:
        message.requested = IpAddress::of(value);
        break;
      case 51:
        message.lease_s = number.u32();
        break;
      case 52:
        overload = number.u8();
        break;
      case 53:
        message.type = number.u8();
        break;
      case 54:
        message.server = IpAddress::of(value);
        break;
      case 55:
        for (const auto asked : value) message.parameter_list.push_back(static_cast<std::uint8_t>(asked));
        break;
      case 60:
        message.vendor_class += ascii_of(value);
        break;
      default:
        break;
    }
  }
  return true;  // an end is missing at times
}

}  // namespace

bool is_dhcp(Bytes message) {
  Cursor in(message);
  in.skip(kCookieAt);
  return in.u32() == kCookie && in.ok();
}

std::optional<DhcpMessage> parse_dhcp(Bytes bytes) {
  if (!is_dhcp(bytes)) return std::nullopt;
  Cursor in(bytes);
  const auto operation = in.u8();
  in.u8();
  const auto hardware_size = in.u8();
  in.u8();
  DhcpMessage message;
  message.transaction = in.u32();
  in.skip(8);
  message.offered = IpAddress::of(in.take(4));
  in.skip(8);
  const auto hardware = in.take(16);
  if (hardware_size == 6)
    for (std::size_t i = 0; i < 6; ++i)
      message.client_mac += fmt::format("{}{:02x}", i == 0 ? "" : ":", static_cast<unsigned>(hardware[i]));
  std::uint8_t overload = 0;
  if ((operation != 1 && operation != 2) || !read_dhcp_options(bytes.subspan(kCookieAt + 4), message, overload)) return std::nullopt;
  // RFC 2131 4.1: file first, then sname.
  std::uint8_t ignored = 0;
  if ((overload & 1) != 0 && !read_dhcp_options(bytes.subspan(kFileAt, 128), message, ignored)) return std::nullopt;
  if ((overload & 2) != 0 && !read_dhcp_options(bytes.subspan(kServerNameAt, 64), message, ignored)) return std::nullopt;
  return message;
}

}  // namespace hilcop::analysis
