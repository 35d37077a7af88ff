// SPDX-License-Identifier: Apache-2.0
#include "network/wire/seen_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kMac("\x02\0\0\0\0\x50", 6), kOther("\x02\0\0\0\0\x51", 6), kAll(6, '\xff');
const std::string kLinkLocal("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x50", 16), kNone(16, '\0');

std::string ethernet(const std::string& from, const char* type, const std::string& rest) {
  return kAll + from + std::string(type, 2) + rest;
}
std::string ipv4(const std::string& from, const std::string& address) {
  return ethernet(from, "\x08\x00", std::string(12, '\x45') + address + std::string(4, '\x0a'));
}
std::string ipv6(const std::string& from, const std::string& address, char next = 17, const std::string& rest = "") {
  return ethernet(from, "\x86\xdd", std::string(6, '\x60') + next + '\xff' + address + std::string(16, '\xff') + rest);
}
std::string arp(const std::string& from, const std::string& sender) {
  return ethernet(from, "\x08\x06", std::string(14, '\1') + sender + std::string(10, '\1'));
}

class SeenHostsTest : public testing::Test {
 protected:
  void see(const std::string& frame) { hosts_.see(std::as_bytes(std::span(frame))); }
  std::vector<std::string> addresses() { return hosts_.all().at(0).addresses; }
  SeenHosts hosts_;
};

TEST_F(SeenHostsTest, AHostIsKnownByWhateverItSays) {
  see(ethernet(kMac, "\x88\xb5", "?"));
  ASSERT_THAT(hosts_.all(), SizeIs(1));
  EXPECT_EQ(hosts_.all()[0].mac, "02:00:00:00:00:50");
  EXPECT_THAT(addresses(), IsEmpty());
  see(ipv4(kMac, std::string("\0\0\0\0", 4)));  // as it asks for a lease
  EXPECT_THAT(addresses(), IsEmpty());
  see(arp(kMac, "\xc0\xa8\x01\x32"));
  EXPECT_THAT(addresses(), ElementsAre("192.168.1.50"));
  see(ipv4(kMac, "\x0a\x4d\x01\x64"));
  see(ipv6(kMac, kLinkLocal));
  see(ipv6(kOther, kLinkLocal));
  see(ipv4(kMac, "\x0a\x4d\x01\x64"));
  EXPECT_THAT(addresses(), ElementsAre("10.77.1.100", "192.168.1.50", "fe80::50"));
  EXPECT_THAT(hosts_.all(), SizeIs(2));
}

// Its first word of an address, before anybody may speak to it.
TEST_F(SeenHostsTest, AnAddressThatItMeansToTakeIsIts) {
  const std::string solicitation = std::string("\x87\0\0\0\0\0\0\0", 8) + kLinkLocal;
  see(ipv6(kMac, kNone, 58, solicitation.substr(0, 23)));
  see(ipv6(kMac, kNone, 17, solicitation));
  EXPECT_THAT(addresses(), IsEmpty());
  see(ipv6(kMac, kNone, 58, solicitation));
  EXPECT_THAT(addresses(), ElementsAre("fe80::50"));
  const std::string others = std::string("\x87\0\0\0\0\0\0\0", 8) + std::string(16, '\xfd');
  see(ipv6(kMac, kLinkLocal, 58, others));
  EXPECT_THAT(addresses(), ElementsAre("fe80::50")) << "whom it looks for";
}

TEST_F(SeenHostsTest, WhatIsCutAndGroupsAreNobody) {
  const auto whole = ipv6(kMac, kLinkLocal);
  for (std::size_t size = 0; size < 14; ++size) see(whole.substr(0, size));
  see(ipv4(kAll, "\x0a\x4d\x01\x64"));
  EXPECT_THAT(hosts_.all(), IsEmpty());
  for (std::size_t size = 14; size < whole.size(); ++size) see(whole.substr(0, size));
  EXPECT_THAT(addresses(), IsEmpty());
}

TEST_F(SeenHostsTest, AFloodIsBoundedAndCounted) {
  for (int i = 0; i < 1000; ++i) {
    see(ipv4(kMac, std::string("\x0a\x4d") + static_cast<char>(1 + i / 256) + static_cast<char>(i % 256)));
    see(ethernet("\x02" + std::string(3, '\0') + static_cast<char>(i / 256) + static_cast<char>(i % 256), "\x88\xb5", ""));
  }
  EXPECT_THAT(hosts_.all(), SizeIs(SeenHosts::kMost));
  EXPECT_EQ(hosts_.left_out(), 2 * (1000 - 64U)) << "one of the others is the first one";
  for (const auto& host : hosts_.all()) EXPECT_LE(host.addresses.size(), SeenHosts::kMost);
}

}  // namespace
}  // namespace hilcop
