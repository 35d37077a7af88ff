// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/dhcp/ipv4.h"

namespace hilcop {

/// Option 53 (RFC 2132 9.6). None: BOOTP, or a number of no kind that is known here.
enum class DhcpKind : std::uint8_t { None = 0, Discover, Offer, Request, Decline, Ack, Nak, Release, Inform };
std::string to_string(DhcpKind kind);  // "DISCOVER"; "none"

namespace dhcp_option {
inline constexpr std::uint8_t kPad = 0, kMask = 1, kRouters = 3, kNameServers = 6, kHostName = 12, kDomain = 15, kTimeServers = 42,
                              kRequestedAddress = 50, kLeaseTime = 51, kOverload = 52, kKind = 53, kServer = 54, kParameters = 55,
                              kMessage = 56, kMostSize = 57, kRenewal = 58, kRebinding = 59, kVendorClass = 60, kClientId = 61, kFqdn = 81,
                              kEnd = 255;
}  // namespace dhcp_option

/// One option as it stands in a packet. What is longer than 255 bytes stands there in several (RFC 3396).
struct DhcpOption {
  std::uint8_t code = 0;
  std::string bytes;
  bool operator==(const DhcpOption&) const = default;
};

/// Option 81 (RFC 4702).
struct DhcpFqdn {
  std::uint8_t flags = 0;
  std::string name;  // "ht1.example.com"; in the bytes of the client
};

/// A DHCPv4 message (RFC 2131 2). A value. Bytes are those of the sender: for people they go through escaped_bytes().
struct DhcpMessage {
  bool reply = false;
  std::uint8_t hardware_type = 1, hops = 0;  // 1: Ethernet
  std::string hardware;                      // at most 16 bytes
  std::uint32_t transaction = 0;
  std::uint16_t seconds = 0;
  bool broadcast = false;                  // "answer me by broadcast"
  Ipv4 client, yours, next_server, relay;  // ciaddr, yiaddr, siaddr, giaddr
  std::string server_name, boot_file;      // to their first NUL; empty where options stand in their place (option 52)
  std::vector<DhcpOption> options;         // in the order of the packet: its options field, then `file`, then `sname` (RFC 2131 4.1)
  bool operator==(const DhcpMessage&) const = default;

  /// All that the packet has of it, joined (RFC 3396); nullopt: it is not there.
  std::optional<std::string> option(std::uint8_t code) const;
  void add(std::uint8_t code, std::string bytes) { options.push_back({code, std::move(bytes)}); }
  void add_number(std::uint8_t code, std::uint32_t value) { add(code, Ipv4{value}.bytes()); }

  DhcpKind kind() const;
  /// Of an option that is one address or one number of 32 bits; nullopt where it is not there or has another size.
  std::optional<Ipv4> address(std::uint8_t code) const;
  std::optional<std::uint32_t> number(std::uint8_t code) const;
  std::vector<std::uint8_t> parameters() const;    // option 55, in its order: what a client's make is known by
  std::optional<std::uint16_t> most_size() const;  // option 57
  std::optional<DhcpFqdn> fqdn() const;
  /// "02:00:00:00:00:01"; of other hardware than Ethernet with its number in front: "6/..."
  std::string hardware_text() const;
};

struct ReadDhcp {
  DhcpMessage message;                // with a fault: what could be read before it
  std::string fault;                  // why it is no message; "": it is one
  std::vector<std::string> oddities;  // what a sound sender does not do, and what changes no meaning; at most one of each
};

/// Any bytes. Never throws; memory: a small multiple of what it was given.
ReadDhcp read_dhcp(std::string_view packet);

/// The message for the wire: at least 300 bytes (BOOTP's size, which some clients insist on), at most `most`, or 300. Options over 255
/// bytes are cut (RFC 3396); what does not fit goes into `file` and `sname` (option 52, which is made here: one in the list is left out).
/// Throws Error{Config}: they do not fit there either.
std::string dhcp_packet(const DhcpMessage& message, std::size_t most = 548);

/// For people: what is not printable ASCII, and the backslash, as \x5c.
std::string escaped_bytes(std::string_view bytes);

}  // namespace hilcop
