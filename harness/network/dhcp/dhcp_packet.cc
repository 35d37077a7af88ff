// SPDX-License-Identifier: Apache-2.0
// DHCPv4 on the wire: RFC 2131 2 and 4.1, RFC 2132 9.3 (overload), RFC 3396 (long options).
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "network/dhcp/dhcp_message.h"

namespace hilcop {
namespace {

// Where the fixed fields begin.
constexpr std::size_t kDhcpTransaction = 4, kDhcpSeconds = 8, kDhcpFlags = 10, kDhcpClient = 12, kDhcpYours = 16, kDhcpNext = 20,
                      kDhcpRelay = 24, kDhcpHardware = 28, kDhcpServerName = 44, kDhcpFile = 108, kDhcpCookie = 236, kDhcpOptions = 240;
constexpr std::size_t kDhcpHardwareRoom = 16, kDhcpServerNameRoom = 64, kDhcpFileRoom = 128, kLeastDhcpPacket = 300;
constexpr std::string_view kDhcpCookieBytes = "\x63\x82\x53\x63";

std::uint16_t dhcp_number16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1]));
}

std::string_view dhcp_text(std::string_view field) { return field.substr(0, std::min(field.find('\0'), field.size())); }

void dhcp_oddity(ReadDhcp& read, const char* what) {
  if (std::find(read.oddities.begin(), read.oddities.end(), what) == read.oddities.end()) read.oddities.emplace_back(what);
}

// Options of one of the three fields that may hold some. False: a fault.
bool read_dhcp_options(ReadDhcp& read, std::string_view field, const char* where) {
  std::size_t at = 0;
  while (at < field.size()) {
    const auto code = static_cast<std::uint8_t>(field[at++]);
    if (code == dhcp_option::kPad) continue;
    if (code == dhcp_option::kEnd) {
      if (field.find_first_not_of('\0', at) != std::string_view::npos) dhcp_oddity(read, "there are bytes after the end option");
      return true;
    }
    const std::size_t size = at < field.size() ? static_cast<unsigned char>(field[at]) : 1;
    if (at == field.size() || size > field.size() - at - 1) {
      read.fault = fmt::format("option {} goes beyond the end of {}", code, where);
      return false;
    }
    read.message.add(code, std::string(field.substr(at + 1, size)));
    at += 1 + size;
  }
  dhcp_oddity(read, "there is no end option");
  return true;
}

void read_dhcp_head(DhcpMessage& message, std::string_view head) {
  const auto at = [&](std::size_t begin) { return Ipv4::of_bytes(head.substr(begin, 4)); };
  message.reply = head[0] == 2;
  message.hardware_type = static_cast<std::uint8_t>(head[1]);
  message.hops = static_cast<std::uint8_t>(head[3]);
  message.hardware = head.substr(kDhcpHardware, std::min<std::size_t>(static_cast<unsigned char>(head[2]), kDhcpHardwareRoom));
  message.transaction = at(kDhcpTransaction).value;
  message.seconds = dhcp_number16(head, kDhcpSeconds);
  message.broadcast = (dhcp_number16(head, kDhcpFlags) & 0x8000) != 0;
  message.client = at(kDhcpClient);
  message.yours = at(kDhcpYours);
  message.next_server = at(kDhcpNext);
  message.relay = at(kDhcpRelay);
}

std::string dhcp_head_fault(std::string_view packet) {
  if (packet.size() < kDhcpOptions) return fmt::format("{} bytes; the head of a message has {}", packet.size(), kDhcpOptions);
  if (packet[0] != 1 && packet[0] != 2)
    return fmt::format("its op is {}; 1 is a request, 2 a reply", static_cast<unsigned char>(packet[0]));
  if (static_cast<unsigned char>(packet[2]) > kDhcpHardwareRoom)
    return fmt::format("a hardware address of {} bytes; there is room for 16", static_cast<unsigned char>(packet[2]));
  if (packet.substr(kDhcpCookie, 4) != kDhcpCookieBytes) return "it has not the cookie of DHCP";
  return "";
}

// A field while it is filled.
struct DhcpOptionField {
  std::size_t room;  // without the end option
  std::string bytes = {};
};

// Each option into the first field from `at` on that has room for it; false: none has.
bool place_dhcp_options(const std::vector<DhcpOption>& parts, std::array<DhcpOptionField*, 3> fields) {
  std::size_t at = 0;
  for (const auto& part : parts) {
    while (at < fields.size() && (fields[at] == nullptr || fields[at]->room - fields[at]->bytes.size() < 2 + part.bytes.size())) ++at;
    if (at == fields.size()) return false;
    fields[at]->bytes += static_cast<char>(part.code);
    fields[at]->bytes += static_cast<char>(part.bytes.size());
    fields[at]->bytes += part.bytes;
  }
  return true;
}

std::vector<DhcpOption> cut_dhcp_options(const DhcpMessage& message) {
  std::vector<DhcpOption> parts;
  for (const auto& option : message.options) {
    if (option.code == dhcp_option::kOverload || option.code == dhcp_option::kPad || option.code == dhcp_option::kEnd) continue;
    std::size_t at = 0;
    do {
      parts.push_back({option.code, option.bytes.substr(at, 255)});
      at += 255;
    } while (at < option.bytes.size());
  }
  return parts;
}

void put_dhcp_field(std::string& packet, std::size_t at, std::size_t room, std::string_view bytes) {
  packet.replace(at, std::min(room, bytes.size()), bytes.substr(0, room));
}

}  // namespace

ReadDhcp read_dhcp(std::string_view packet) {
  ReadDhcp read;
  auto head = std::string(packet.substr(0, kDhcpOptions));
  head.resize(kDhcpOptions);
  read_dhcp_head(read.message, head);
  read.fault = dhcp_head_fault(packet);
  if (!read.fault.empty() || !read_dhcp_options(read, packet.substr(kDhcpOptions), "the packet")) return read;
  const auto file = packet.substr(kDhcpFile, kDhcpFileRoom), name = packet.substr(kDhcpServerName, kDhcpServerNameRoom);
  const auto overload = read.message.option(dhcp_option::kOverload);
  const int fields = overload && overload->size() == 1 ? overload->front() : 0;
  if (overload && (fields < 1 || fields > 3)) {
    read.fault = "its overload option is none of 1, 2 and 3";
    return read;
  }
  if ((fields & 1) == 0) read.message.boot_file = dhcp_text(file);
  if ((fields & 2) == 0) read.message.server_name = dhcp_text(name);
  if ((fields & 1) != 0 && !read_dhcp_options(read, file, "the field 'file'")) return read;
  if ((fields & 2) != 0) read_dhcp_options(read, name, "the field 'sname'");
  return read;
}

std::string dhcp_packet(const DhcpMessage& message, std::size_t most) {
  most = std::max(most, kLeastDhcpPacket);
  const auto parts = cut_dhcp_options(message);
  DhcpOptionField options{most - kDhcpOptions - 1}, file{kDhcpFileRoom - 1}, name{kDhcpServerNameRoom - 1};
  if (!place_dhcp_options(parts, {&options, nullptr, nullptr})) {
    options = {options.room - 3};
    if (!place_dhcp_options(parts, {&options, message.boot_file.empty() ? &file : nullptr, message.server_name.empty() ? &name : nullptr}))
      throw Error(ErrorKind::Config, "DHCP " + to_string(message.kind()), fmt::format("its options do not fit into {} bytes", most),
                  "give fewer servers or a shorter domain");
    const int fields = (file.bytes.empty() ? 0 : 1) | (name.bytes.empty() ? 0 : 2);
    options.bytes += {static_cast<char>(dhcp_option::kOverload), 1, static_cast<char>(fields)};
  }
  std::string packet(kDhcpOptions, '\0');
  packet[0] = message.reply ? 2 : 1;
  packet[1] = static_cast<char>(message.hardware_type);
  packet[2] = static_cast<char>(std::min(message.hardware.size(), kDhcpHardwareRoom));
  packet[3] = static_cast<char>(message.hops);
  put_dhcp_field(packet, kDhcpTransaction, 4, Ipv4{message.transaction}.bytes());
  put_dhcp_field(packet, kDhcpSeconds, 4,
                 Ipv4{static_cast<std::uint32_t>(message.seconds) << 16 | (message.broadcast ? 0x8000u : 0u)}.bytes());
  put_dhcp_field(packet, kDhcpClient, 4, message.client.bytes());
  put_dhcp_field(packet, kDhcpYours, 4, message.yours.bytes());
  put_dhcp_field(packet, kDhcpNext, 4, message.next_server.bytes());
  put_dhcp_field(packet, kDhcpRelay, 4, message.relay.bytes());
  put_dhcp_field(packet, kDhcpHardware, kDhcpHardwareRoom, message.hardware);
  const auto ended = [](const DhcpOptionField& field) { return field.bytes + static_cast<char>(dhcp_option::kEnd); };
  put_dhcp_field(packet, kDhcpServerName, kDhcpServerNameRoom, name.bytes.empty() ? message.server_name : ended(name));
  put_dhcp_field(packet, kDhcpFile, kDhcpFileRoom, file.bytes.empty() ? message.boot_file : ended(file));
  put_dhcp_field(packet, kDhcpCookie, 4, kDhcpCookieBytes);
  packet += ended(options);
  packet.resize(std::max(packet.size(), kLeastDhcpPacket), '\0');
  return packet;
}

}  // namespace hilcop
