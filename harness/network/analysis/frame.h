// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "capture/capture_reader.h"
#include "network/analysis/address.h"
#include "network/analysis/bytes.h"

namespace hilcop::analysis {

/// Why a frame was not read to its transport. Nothing is passed over without one of these.
enum class Unread : std::uint8_t {
  LinkType,   // neither Ethernet nor bare IP
  EtherType,  // no protocol that is read here (LLDP, EAPOL, 802.3 with a length...)
  EthernetShort,
  VlanDepth,  // more than two tags
  ArpMalformed,
  Ipv4Header,
  Ipv6Header,
  Ipv6Extension,  // malformed, or more of them than is sound
  IpProtocol,     // neither TCP, UDP nor ICMP
  UdpHeader,
  TcpHeader,
  IcmpShort,
  FragmentMalformed,    // beyond 65,535 bytes, or of no bytes
  FragmentsConflict,    // overlapping fragments that differ; the first won
  FragmentsIncomplete,  // some never came
  FragmentsTooMany,     // given up for memory
  Snapped,              // the capture kept fewer bytes than the headers need
  Count
};
std::string_view name_of(Unread why);

enum class Transport : std::uint8_t { None, Arp, Udp, Tcp, Icmp };

inline constexpr std::uint8_t kTcpFin = 1, kTcpSyn = 2, kTcpRst = 4, kTcpPsh = 8, kTcpAck = 16;

/// Of a datagram that came in fragments: those before the last that came.
struct Earlier {
  std::uint64_t packets = 0, bytes = 0;  // on the wire
  UtcTime first;
  std::vector<std::uint64_t> frames;  // in their order, the first 1024
};

/// One frame, parsed without a copy: its spans are the packet's. Checksums are not judged: a capture on the sending host has none yet.
using LinkAddress = std::array<std::uint8_t, 6>;

struct Frame {
  CapturedPacket packet;
  LinkAddress source_mac{}, target_mac{};  // zeros: this kind of link has none
  std::array<std::uint16_t, 2> vlans{};    // outermost first, 0: none
  std::uint16_t ether_type = 0;

  Endpoint from, to;  // ports of UDP and TCP alone
  std::uint8_t ip_protocol = 0;
  bool is_fragment = false, more_fragments = false;
  std::uint32_t fragment_id = 0, fragment_offset = 0;
  Bytes ip_payload;                   // after all extension headers
  std::size_t ip_payload_length = 0;  // on the wire: more than there is where the capture kept less

  Transport transport = Transport::None;
  std::uint32_t sequence = 0, acknowledgement = 0;
  std::uint16_t window = 0;
  std::uint8_t tcp_flags = 0, icmp_type = 0, icmp_code = 0;
  Bytes payload;                   // of UDP, TCP and ICMP
  std::size_t payload_length = 0;  // on the wire
  std::optional<Earlier> earlier;

  std::optional<Unread> unread;

  bool is_ip() const { return from.address.size != 0 && transport != Transport::Arp; }
  FiveTuple tuple() const { return {from, to, ip_protocol}; }
  /// Of bytes that lie within the packet.
  Place place_of(Bytes part) const;
};

/// Ethernet II with 802.1Q/802.1ad tags, ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, UDP (RFC 768), TCP
/// (RFC 9293), ICMP. Never throws. A fragment ends at ip_payload: Fragments puts them together.
Frame parse_frame(const CapturedPacket& packet, LinkType type);

/// Reads the transport header at the begin of `segment`, which is `length` bytes on the wire, into the frame. For parse_frame, and for what
/// was put together of fragments (then the frame's spans are of `segment`).
void parse_transport(Frame& frame, Bytes segment, std::size_t length);

/// Whether the sender of a flow's first frame is its client: TCP says it in SYN and SYN-ACK; else the lower port below 1024 is the
/// server's.
bool client_sends(const Frame& first);

}  // namespace hilcop::analysis
