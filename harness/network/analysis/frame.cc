// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/frame.h"

#include <algorithm>

namespace hilcop::analysis {
namespace {

constexpr std::uint16_t kArp = 0x0806, kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8, kOldServiceVlan = 0x9100;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;
constexpr std::uint16_t kRawIp = 101, kOnlyIpv4 = 228, kOnlyIpv6 = 229;  // link types
constexpr std::uint16_t kFirstUserPort = 1024;
constexpr int kMostExtensions = 16;

// A header that is not there: the capture cut it off, or it never was.
void unread(Frame& frame, Unread why) { frame.unread = frame.packet.bytes.size() < frame.packet.length ? Unread::Snapped : why; }

void parse_arp(Frame& frame, Bytes bytes) {
  Cursor in(bytes);
  const auto hardware = in.u16(), protocol = in.u16();
  const auto hardware_size = in.u8(), protocol_size = in.u8();
  in.u16();
  if (!in.ok() || hardware != 1 || protocol != kIpv4 || hardware_size != 6 || protocol_size != 4)
    return unread(frame, Unread::ArpMalformed);
  in.skip(6);
  const auto sender = in.take(4);
  in.skip(6);
  const auto target = in.take(4);
  if (!in.ok()) return unread(frame, Unread::ArpMalformed);
  frame.from.address = IpAddress::of(sender);
  frame.to.address = IpAddress::of(target);
  frame.transport = Transport::Arp;
}

void end_of_ip(Frame& frame, Bytes payload, std::size_t length) {
  frame.ip_payload = payload.first(std::min(payload.size(), length));
  frame.ip_payload_length = length;
  if (!frame.is_fragment) parse_transport(frame, frame.ip_payload, length);
}

void parse_ipv4(Frame& frame, Bytes bytes) {
  Cursor in(bytes);
  const auto version = in.u8();
  in.u8();
  const std::size_t total = in.u16(), header = std::size_t{version & 15u} * 4;
  const auto id = in.u16(), fragment = in.u16();
  in.u8();
  frame.ip_protocol = in.u8();
  in.u16();
  const auto from = in.take(4), to = in.take(4);
  in.skip(header < 20 ? 0 : header - 20);
  if (!in.ok() || version >> 4 != 4 || header < 20) return unread(frame, Unread::Ipv4Header);
  // 0: the sender's card cuts it into packets, and fills it in then.
  const auto length = total == 0 ? frame.packet.length - (frame.packet.bytes.size() - bytes.size()) : total;
  if (length < header) return unread(frame, Unread::Ipv4Header);
  frame.from.address = IpAddress::of(from);
  frame.to.address = IpAddress::of(to);
  frame.fragment_id = id;
  frame.fragment_offset = (fragment & 0x1fffu) * 8;
  frame.more_fragments = (fragment & 0x2000) != 0;
  frame.is_fragment = frame.more_fragments || frame.fragment_offset != 0;
  end_of_ip(frame, in.rest(), length - header);
}

bool is_extension(std::uint8_t next) {
  switch (next) {
    case 0:    // hop by hop
    case 43:   // routing
    case 44:   // fragment
    case 51:   // authentication
    case 60:   // destination options
    case 135:  // mobility
    case 139:  // host identity
    case 140:  // shim6
      return true;
    default:
      return false;
  }
}

void parse_ipv6(Frame& frame, Bytes bytes) {
  Cursor in(bytes);
  const auto version = in.u32();
  std::size_t length = in.u16();
  auto next = in.u8();
  in.u8();
  const auto from = in.take(16), to = in.take(16);
  if (!in.ok() || version >> 28 != 6) return unread(frame, Unread::Ipv6Header);
  if (length == 0 && frame.packet.length > frame.packet.bytes.size() - in.left())
    length = frame.packet.length - (frame.packet.bytes.size() - in.left());
  frame.from.address = IpAddress::of(from);
  frame.to.address = IpAddress::of(to);
  for (int count = 0; is_extension(next) && !(frame.is_fragment && frame.fragment_offset != 0); ++count) {
    const auto begin = in.at();
    const auto after = in.u8();
    const std::size_t size = next == 44 ? 8 : next == 51 ? (std::size_t{in.u8()} + 2) * 4 : (std::size_t{in.u8()} + 1) * 8;
    if (next == 44) {
      in.u8();
      const auto offset = in.u16();
      frame.fragment_id = in.u32();
      frame.fragment_offset = offset & 0xfff8u;
      frame.more_fragments = (offset & 1) != 0;
      frame.is_fragment = frame.more_fragments || frame.fragment_offset != 0;  // RFC 6946: an atomic fragment is none
    }
    if (in.ok() && begin + size >= in.at()) in.skip(begin + size - in.at());
    if (!in.ok() || size > length || count == kMostExtensions) return unread(frame, Unread::Ipv6Extension);
    length -= size;
    next = after;
    // Of a fragmented packet the headers after this one are of the whole.
    if (frame.is_fragment) break;
  }
  frame.ip_protocol = next;
  end_of_ip(frame, in.rest(), length);
}

void parse_ether_type(Frame& frame, Cursor& in) {
  std::size_t tags = 0;
  while (frame.ether_type == kVlan || frame.ether_type == kServiceVlan || frame.ether_type == kOldServiceVlan) {
    const auto tag = in.u16();
    frame.ether_type = in.u16();
    if (!in.ok()) return unread(frame, Unread::EthernetShort);
    if (tags == frame.vlans.size()) return unread(frame, Unread::VlanDepth);
    frame.vlans[tags++] = tag & 0xfff;
  }
  if (frame.ether_type == kIpv4) return parse_ipv4(frame, in.rest());
  if (frame.ether_type == kIpv6) return parse_ipv6(frame, in.rest());
  if (frame.ether_type == kArp) return parse_arp(frame, in.rest());
  unread(frame, Unread::EtherType);
}

}  // namespace

std::string_view name_of(Unread why) {
  constexpr std::string_view kNames[] = {"unknown link type",
                                         "unknown Ethernet protocol",
                                         "Ethernet header cut short",
                                         "more than two VLAN tags",
                                         "malformed ARP",
                                         "malformed IPv4 header",
                                         "malformed IPv6 header",
                                         "malformed IPv6 extension headers",
                                         "unknown IP protocol",
                                         "malformed UDP header",
                                         "malformed TCP header",
                                         "ICMP cut short",
                                         "malformed fragment",
                                         "overlapping fragments that differ",
                                         "incomplete fragments",
                                         "fragments given up for memory",
                                         "headers cut off by the capture's snap length"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Unread::Count));
  return kNames[static_cast<std::size_t>(why)];
}

bool client_sends(const Frame& first) {
  if (first.transport == Transport::Tcp && (first.tcp_flags & kTcpSyn) != 0) return (first.tcp_flags & kTcpAck) == 0;
  return !(first.from.port < kFirstUserPort && first.from.port < first.to.port) || first.transport == Transport::Icmp;
}

Place Frame::place_of(Bytes part) const {
  const auto offset = static_cast<std::size_t>(part.data() - packet.bytes.data());
  return {packet.frame, packet.offset + offset, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(part.size())};
}

Frame parse_frame(const CapturedPacket& packet, LinkType type) {
  Frame frame;
  frame.packet = packet;
  Cursor in(frame.packet.bytes);
  const auto link = static_cast<std::uint16_t>(type);
  if (type == LinkType::Ethernet) {
    const auto target = in.take(6), source = in.take(6);
    frame.ether_type = in.u16();
    if (!in.ok()) {
      unread(frame, Unread::EthernetShort);
    } else {
      std::memcpy(frame.target_mac.data(), target.data(), 6);
      std::memcpy(frame.source_mac.data(), source.data(), 6);
      parse_ether_type(frame, in);
    }
  } else if (link == kRawIp || link == kOnlyIpv4 || link == kOnlyIpv6) {
    const bool six = !packet.bytes.empty() && static_cast<std::uint8_t>(packet.bytes[0]) >> 4 == 6;
    frame.ether_type = six ? kIpv6 : kIpv4;
    six ? parse_ipv6(frame, packet.bytes) : parse_ipv4(frame, packet.bytes);
  } else {
    frame.unread = Unread::LinkType;
  }
  return frame;
}

void parse_transport(Frame& frame, Bytes segment, std::size_t length) {
  Cursor in(segment);
  std::size_t header = 0;
  const auto unread = [&frame](Unread why) {
    frame.from.port = frame.to.port = 0;
    analysis::unread(frame, why);
  };
  if (frame.ip_protocol == kUdp) {
    frame.from.port = in.u16();
    frame.to.port = in.u16();
    const std::size_t said = in.u16();
    in.u16();
    header = 8;
    if (!in.ok() || (said != 0 && said < header) || said > length) return unread(Unread::UdpHeader);
    if (said != 0) length = said;
    frame.transport = Transport::Udp;
  } else if (frame.ip_protocol == kTcp) {
    frame.from.port = in.u16();
    frame.to.port = in.u16();
    frame.sequence = in.u32();
    frame.acknowledgement = in.u32();
    header = static_cast<std::size_t>(in.u8() >> 4) * 4;
    frame.tcp_flags = in.u8();
    frame.window = in.u16();
    in.skip(4);
    if (!in.ok() || header < 20 || header > length) return unread(Unread::TcpHeader);
    in.skip(header - 20);
    if (!in.ok()) return unread(Unread::TcpHeader);
    frame.transport = Transport::Tcp;
  } else if (frame.ip_protocol == kIcmp || frame.ip_protocol == kIcmpv6) {
    frame.icmp_type = in.u8();
    frame.icmp_code = in.u8();
    in.u16();
    header = 4;
    if (!in.ok()) return unread(Unread::IcmpShort);
    frame.transport = Transport::Icmp;
  } else {
    return unread(Unread::IpProtocol);
  }
  frame.payload_length = length - header;
  const auto rest = in.rest();
  frame.payload = rest.first(std::min(rest.size(), frame.payload_length));
}

}  // namespace hilcop::analysis
