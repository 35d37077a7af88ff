// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "network/analysis/fragments.h"
#include "network/analysis/packets.h"

namespace hilcop::analysis {
namespace {

const std::string kSix = "fe800000000000000000000000000001", kOtherSix = "ff020000000000000000000000000002";

Frame parsed(const std::string& bytes, LinkType type = LinkType::Ethernet, std::size_t length = 0, std::uint64_t number = 1) {
  CapturedPacket packet;
  packet.bytes = std::as_bytes(std::span(bytes.data(), bytes.size()));
  packet.length = static_cast<std::uint32_t>(length != 0 ? length : bytes.size());
  packet.frame = number;
  packet.offset = 1000 * number;
  return parse_frame(packet, type);
}
std::string payload_of(const Frame& frame) { return std::string(chars_of(frame.payload)); }

TEST(FrameTest, UdpOverIpv4AndIpv6WithPaddingAndTags) {
  const auto bytes = udp({"192.0.2.1", 1234}, {"192.0.2.2", 53}, "query") + "padding";
  const auto frame = parsed(bytes);
  EXPECT_EQ(frame.transport, Transport::Udp);
  EXPECT_EQ(payload_of(frame), "query");
  EXPECT_EQ(frame.from.text(), "192.0.2.1:1234");
  EXPECT_EQ(frame.to.text(), "192.0.2.2:53");
  EXPECT_EQ(frame.place_of(frame.payload), (Place{1, 1042, 42, 5}));
  const auto six_bytes = udp({kSix, 1}, {kOtherSix, 2}, "six");
  const auto six = parsed(six_bytes);
  EXPECT_EQ(payload_of(six), "six");
  EXPECT_EQ(six.from.text(), "[fe80::1]:1");
  const auto tagged_bytes =
      ethernet(0x0800, ip("192.0.2.1", "192.0.2.2", 17, udp_segment(1, 2, "tagged")), std::string("\x88\xa8\x00\x05\x81\x00\x20\x07", 8));
  const auto tagged = parsed(tagged_bytes);
  EXPECT_EQ(payload_of(tagged), "tagged");
  EXPECT_EQ(tagged.vlans[0], 5);
  EXPECT_EQ(tagged.vlans[1], 7);
  const auto bare_bytes = ip("192.0.2.1", "192.0.2.2", 17, udp_segment(1, 2, "bare"));
  EXPECT_EQ(payload_of(parsed(bare_bytes, LinkType::RawIp)), "bare");
}

TEST(FrameTest, Ipv6ExtensionHeaders) {
  const std::string hop("\x3c\0\0\0\0\0\0\0", 8), destination("\x11\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
  const auto bytes = ip_frame(kSix, kOtherSix, 0, hop + destination + udp_segment(1, 2, "after"));
  const auto frame = parsed(bytes);
  EXPECT_FALSE(frame.unread);
  EXPECT_EQ(payload_of(frame), "after");
}

TEST(FrameTest, ArpIcmpAndTcp) {
  const std::string arp = number(1, 2) + number(0x0800, 2) + "\6\4" + number(1, 2) + number(9, 6) + packed_address("192.0.2.1") +
                          number(0, 6) + packed_address("192.0.2.9");
  const auto arp_bytes = ethernet(0x0806, arp);
  EXPECT_EQ(parsed(arp_bytes).transport, Transport::Arp);
  EXPECT_EQ(parsed(arp_bytes).to.address.text(), "192.0.2.9");
  const auto ping_bytes = ip_frame("192.0.2.1", "192.0.2.2", 1, std::string("\x08\0\0\0\0\1\0\1", 8) + "ping");
  EXPECT_EQ(parsed(ping_bytes).transport, Transport::Icmp);
  EXPECT_EQ(parsed(ping_bytes).icmp_type, 8);
  const auto tcp_bytes = tcp({"192.0.2.1", 1}, {"192.0.2.2", 2}, 7, 8, kSyn | kAck, "data");
  const auto frame = parsed(tcp_bytes);
  EXPECT_EQ(frame.sequence, 7u);
  EXPECT_EQ(frame.acknowledgement, 8u);
  EXPECT_EQ(frame.tcp_flags, kSyn | kAck);
  EXPECT_EQ(payload_of(frame), "data");
}

TEST(FrameTest, WhatIsNotReadHasAReason) {
  const auto of = [](const std::string& bytes, LinkType type = LinkType::Ethernet) { return parsed(bytes, type).unread; };
  EXPECT_EQ(of("short"), Unread::EthernetShort);
  EXPECT_EQ(of(ethernet(0x88cc, "lldp")), Unread::EtherType);
  EXPECT_EQ(of("x", LinkType::UsbLinux), Unread::LinkType);
  EXPECT_EQ(of(ethernet(0x0806, "arp")), Unread::ArpMalformed);
  EXPECT_EQ(of(ethernet(0x0800, "\x45")), Unread::Ipv4Header);
  EXPECT_EQ(of(ethernet(0x86dd, "\x60")), Unread::Ipv6Header);
  EXPECT_EQ(of(ip_frame("192.0.2.1", "192.0.2.2", 132, "sctp")), Unread::IpProtocol);
  EXPECT_EQ(of(ip_frame("192.0.2.1", "192.0.2.2", 17, "udp")), Unread::UdpHeader);
  EXPECT_EQ(of(ip_frame("192.0.2.1", "192.0.2.2", 6, std::string(20, '\0'))), Unread::TcpHeader);
  EXPECT_EQ(of(ip_frame("192.0.2.1", "192.0.2.2", 1, "")), Unread::IcmpShort);
  EXPECT_EQ(of(ip_frame(kSix, kOtherSix, 0, std::string("\x11\xff\0\0\0\0\0\0", 8))), Unread::Ipv6Extension);
  EXPECT_EQ(of(ethernet(0x8100, number(1, 2) + number(0x8100, 2) + number(1, 2) + number(0x8100, 2) + number(1, 2) + number(0x800, 2))),
            Unread::VlanDepth);
  const auto whole = udp({"192.0.2.1", 1}, {"192.0.2.2", 2}, "x");
  EXPECT_EQ(parsed(whole.substr(0, 30), LinkType::Ethernet, whole.size()).unread, Unread::Snapped);
  EXPECT_FALSE(parsed(whole).unread) << "the control";
}

TEST(FrameTest, CutAnywhereItHasAReasonOrAllOfItsPayload) {
  for (const auto& whole : {udp({"192.0.2.1", 1}, {"192.0.2.2", 2}, "payload"), udp({kSix, 1}, {kOtherSix, 2}, "payload"),
                            tcp({"192.0.2.1", 1}, {"192.0.2.2", 2}, 1, 1, kAck, "payload")})
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto cut = whole.substr(0, size);
      const auto frame = parsed(cut, LinkType::Ethernet, whole.size());
      if (frame.unread) {
        EXPECT_EQ(frame.unread, Unread::Snapped) << size;
      } else {
        EXPECT_EQ(frame.payload_length, 7u) << size;
        EXPECT_EQ(payload_of(frame), std::string("payload").substr(0, size - (whole.size() - 7)));
      }
    }
}

std::vector<std::string> fragments_of(const std::string& segment, std::size_t size) {
  std::vector<std::string> made;
  for (std::size_t at = 0; at < segment.size(); at += size) {
    const bool more = at + size < segment.size();
    made.push_back(
        ip_frame("192.0.2.1", "192.0.2.2", 17, segment.substr(at, size), {7, static_cast<std::uint16_t>((more ? 0x2000u : 0u) | at / 8)}));
  }
  return made;
}

TEST(FragmentsTest, InEveryOrderTheyMakeTheWholeAndKnowTheirPlaces) {
  const auto segment = udp_segment(1, 2, "0123456789abcdefghijklmnopqrst");
  auto frames = fragments_of(segment, 8);
  ASSERT_EQ(frames.size(), 5u);
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  do {
    Fragments fragments;
    std::optional<Defragmented> whole;
    for (const auto i : order) {
      EXPECT_FALSE(whole);
      const auto frame = parsed(frames[i], LinkType::Ethernet, 0, i + 1);
      ASSERT_TRUE(frame.is_fragment);
      whole = fragments.add(frame);
    }
    ASSERT_TRUE(whole);
    EXPECT_EQ(chars_of(whole->bytes), segment);
    ASSERT_EQ(whole->places.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(whole->places[i].frame, i + 1);
    fragments.finish();
    EXPECT_EQ(fragments.count(Unread::FragmentsIncomplete), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(FragmentsTest, WhatIsMissingOrDiffersIsCounted) {
  const auto frames = fragments_of(udp_segment(1, 2, "0123456789abcdefghijklmnopqrst"), 8);
  Fragments fragments;
  for (const auto i : {0, 1, 3, 4}) EXPECT_FALSE(fragments.add(parsed(frames[static_cast<std::size_t>(i)])));
  const auto other = fragments_of(udp_segment(1, 2, "XXXXXXXX"), 8);
  EXPECT_FALSE(fragments.add(parsed(ip_frame("192.0.2.1", "192.0.2.2", 17, "XXXXXXXX", {7, 0x2001}))));
  EXPECT_EQ(fragments.count(Unread::FragmentsConflict), 1u);
  fragments.finish();
  EXPECT_EQ(fragments.count(Unread::FragmentsIncomplete), 5u);
  const auto none = ip_frame("192.0.2.1", "192.0.2.2", 17, "", {9, 0x2001});
  fragments.add(parsed(none));
  EXPECT_EQ(fragments.count(Unread::FragmentMalformed), 1u);
  for (std::uint16_t id = 0; id < 300; ++id) {
    const auto one = ip_frame("192.0.2.1", "192.0.2.2", 17, "12345678", {id, 0x2001});
    fragments.add(parsed(one));
  }
  EXPECT_EQ(fragments.count(Unread::FragmentsTooMany), 300u - Fragments::kMostDatagrams);
}

}  // namespace
}  // namespace hilcop::analysis
