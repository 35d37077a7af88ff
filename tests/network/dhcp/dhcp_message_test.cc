// SPDX-License-Identifier: Apache-2.0
// DHCP on the wire: golden bytes by RFC 2131 and 2132, and what is torn, spoilt or made to mislead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "network/dhcp/dhcp_client.h"
#include "network/dhcp/dhcp_message.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string zeros(std::size_t count) { return std::string(count, '\0'); }

// The head of a request, its `sname` and `file`, and the cookie.
std::string dhcp_head(std::string name = "", std::string file = "") {
  name.resize(64);
  file.resize(128);
  return std::string("\1\1\6\0\x39\x03\xf3\x26\0\5\x80\0", 12) + std::string("\x0a\x4d\0\x32", 4) + zeros(12) +
         std::string("\2\0\0\0\0\1", 6) + zeros(10) + name + file + "\x63\x82\x53\x63";
}

const std::string kAsked = std::string("\x35\1\1", 3) + std::string("\x3d\7\1\2\0\0\0\0\1", 9) + std::string("\x39\2\5\xdc", 4) +
                           "\x3c\x0cudhcp 1.35.0" + "\x0c\3ht1" + std::string("\x37\4\1\3\x2a\6", 6) +
                           std::string("\x51\x0c\5\0\0\3ht1\3lan\0", 14);

TEST(DhcpMessageTest, EveryFieldAndOptionIsRead) {
  const auto read = read_dhcp(dhcp_head("boot", "kernel") + kAsked + "\xff" + zeros(20));
  ASSERT_EQ(read.fault, "");
  EXPECT_THAT(read.oddities, IsEmpty());
  const auto& message = read.message;
  EXPECT_FALSE(message.reply);
  EXPECT_EQ(message.transaction, 0x3903f326u);
  EXPECT_EQ(message.seconds, 5);
  EXPECT_TRUE(message.broadcast);
  EXPECT_EQ(message.client.text(), "10.77.0.50");
  EXPECT_EQ(message.hardware_text(), "02:00:00:00:00:01");
  EXPECT_EQ(message.server_name, "boot");
  EXPECT_EQ(message.boot_file, "kernel");
  std::vector<int> codes;
  for (const auto& option : message.options) codes.push_back(option.code);
  EXPECT_THAT(codes, ElementsAre(53, 61, 57, 60, 12, 55, 81)) << "in the order of the packet";
  EXPECT_EQ(message.kind(), DhcpKind::Discover);
  EXPECT_EQ(message.option(dhcp_option::kClientId), std::string("\1\2\0\0\0\0\1", 7));
  EXPECT_EQ(message.most_size(), 1500);
  EXPECT_EQ(message.option(dhcp_option::kVendorClass), "udhcp 1.35.0");
  EXPECT_EQ(message.option(dhcp_option::kHostName), "ht1");
  EXPECT_THAT(message.parameters(), ElementsAre(1, 3, 42, 6));
  ASSERT_TRUE(message.fqdn());
  EXPECT_EQ(message.fqdn()->name, "ht1.lan") << "labels of DNS: RFC 4702 2.1";
  EXPECT_EQ(message.option(99), std::nullopt);
}

TEST(DhcpMessageTest, AReplyIsWrittenByteForByte) {
  DhcpMessage offer;
  offer.reply = true;
  offer.hardware = std::string("\2\0\0\0\0\1", 6);
  offer.transaction = 0x01020304;
  offer.broadcast = true;
  offer.yours = Ipv4::of("10.77.0.50");
  offer.add(dhcp_option::kKind, "\2");
  offer.add(dhcp_option::kServer, Ipv4::of("10.77.0.1").bytes());
  offer.add_number(dhcp_option::kLeaseTime, 3600);
  const auto expected = std::string("\2\1\6\0\1\2\3\4\0\0\x80\0\0\0\0\0\x0a\x4d\0\x32", 20) + zeros(8) + std::string("\2\0\0\0\0\1", 6) +
                        zeros(10 + 64 + 128) + std::string("\x63\x82\x53\x63\x35\1\2\x36\4\x0a\x4d\0\1\x33\4\0\0\x0e\x10\xff", 20) +
                        zeros(44);
  EXPECT_EQ(dhcp_packet(offer), expected);
  EXPECT_EQ(expected.size(), 300u);
  EXPECT_EQ(read_dhcp(expected).message, offer);
}

TEST(DhcpMessageTest, TornAnywhereItIsAFaultOrSaysThatItsEndIsMissing) {
  const auto whole = dhcp_head() + kAsked + "\xff";
  ASSERT_EQ(read_dhcp(whole).fault, "");
  ASSERT_THAT(read_dhcp(whole).oddities, IsEmpty());
  const auto options = read_dhcp(whole).message.options;
  int between = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = read_dhcp(whole.substr(0, size));
    if (read.fault.empty()) {
      ++between;
      ASSERT_THAT(read.oddities, ElementsAre("there is no end option")) << size;
    }
    ASSERT_TRUE(std::equal(read.message.options.begin(), read.message.options.end(), options.begin())) << size << ": nothing is invented";
    if (size >= 34) {
      ASSERT_EQ(read.message.hardware_text(), "02:00:00:00:00:01") << "who it came from is told all the same";
    }
  }
  EXPECT_EQ(between, 8) << "behind the head and behind each option";
}

TEST(DhcpMessageTest, AFlippedBitAnywhereIsReadOrAFaultAndWhatIsReadCanBeWritten) {
  const auto whole = dhcp_head() + kAsked + "\xff";
  int faults = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto spoilt = whole;
    spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << (bit % 8)));
    const auto read = read_dhcp(spoilt);
    if (!read.fault.empty()) {
      ++faults;
      continue;
    }
    const auto again = read_dhcp(dhcp_packet(read.message, 1500));
    ASSERT_EQ(again.fault, "") << bit;
    if (!read.message.option(dhcp_option::kOverload)) {
      ASSERT_EQ(again.message, read.message) << bit;
    }
  }
  EXPECT_GT(faults, 8 + 3 * 8) << "op and cookie at least";
}

TEST(DhcpMessageTest, OptionsInFileAndNameAreReadAfterTheOthers) {
  const std::string file = std::string("\x0c\2t1\xff", 5), name = std::string("\x3c\3abc", 5);
  const auto read = read_dhcp(dhcp_head(name, file) + std::string("\x35\1\1\x0c\1h\x34\1\3\xff", 10));
  ASSERT_EQ(read.fault, "");
  EXPECT_EQ(read.message.option(dhcp_option::kHostName), "ht1") << "parts of one option are joined: RFC 3396";
  EXPECT_EQ(read.message.option(dhcp_option::kVendorClass), "abc");
  EXPECT_EQ(read.message.boot_file + read.message.server_name, "");
  EXPECT_THAT(read.oddities, ElementsAre("there is no end option"));
  EXPECT_EQ(read_dhcp(dhcp_head(name, file) + std::string("\x35\1\1\xff", 4)).message.option(dhcp_option::kHostName), std::nullopt);
  const auto beyond = read_dhcp(dhcp_head("", std::string("\x0c\x7fx", 3)) + std::string("\x34\1\1\xff", 4));
  EXPECT_EQ(beyond.fault, "option 12 goes beyond the end of the field 'file'");
  EXPECT_THAT(read_dhcp(dhcp_head() + std::string("\x34\1\7\xff", 4)).fault, HasSubstr("none of 1, 2 and 3"));
}

TEST(DhcpMessageTest, LongOptionsAreCutAndWhatDoesNotFitGoesIntoFileAndName) {
  DhcpMessage message;
  message.hardware = std::string(6, 'm');
  message.add(dhcp_option::kKind, "\2");
  message.add(dhcp_option::kVendorClass, std::string(600, 'v'));
  auto again = read_dhcp(dhcp_packet(message, 1472)).message;
  EXPECT_EQ(again.options.size(), 4u);
  EXPECT_EQ(again.option(dhcp_option::kVendorClass), std::string(600, 'v'));

  message.options.resize(1);
  for (int i = 0; i < 3; ++i) message.add(static_cast<std::uint8_t>(200 + i), std::string(100, static_cast<char>('a' + i)));
  message.add(210, std::string(60, 'z'));
  const auto packet = dhcp_packet(message, 548);
  EXPECT_LE(packet.size(), 548u);
  const auto read = read_dhcp(packet);
  ASSERT_EQ(read.fault, "");
  EXPECT_THAT(read.oddities, IsEmpty());
  EXPECT_EQ(read.message.option(dhcp_option::kOverload), "\3");
  for (const auto& option : message.options) EXPECT_EQ(read.message.option(option.code), option.bytes) << int{option.code};
  message.boot_file = "kernel";
  EXPECT_THAT(error_of([&] { dhcp_packet(message, 548); }).what(), HasSubstr("its options do not fit into 548 bytes"));
}

TEST(DhcpMessageTest, FaultsAreNamedAndNothingTrustsALength) {
  EXPECT_THAT(read_dhcp("").fault, HasSubstr("0 bytes"));
  auto wrong = dhcp_head() + "\xff";
  wrong[2] = 17;
  EXPECT_THAT(read_dhcp(wrong).fault, HasSubstr("a hardware address of 17 bytes"));
  wrong = dhcp_head() + "\xff";
  wrong[0] = 3;
  EXPECT_THAT(read_dhcp(wrong).fault, HasSubstr("its op is 3"));
  wrong = dhcp_head() + "\xff";
  wrong[236] = 0;
  EXPECT_THAT(read_dhcp(wrong).fault, HasSubstr("cookie"));
  EXPECT_THAT(read_dhcp(dhcp_head() + "\x0c").fault, HasSubstr("option 12 goes beyond"));
  EXPECT_THAT(read_dhcp(dhcp_head() + "\xff" + "more").oddities, ElementsAre("there are bytes after the end option"));
  const auto twice = read_dhcp(dhcp_head() + std::string("\x35\1\1\x35\1\1\xff", 7));
  EXPECT_EQ(twice.message.kind(), DhcpKind::None) << "joined it has two bytes";
  EXPECT_EQ(read_dhcp(dhcp_head() + std::string("\x35\1\x63\xff", 4)).message.kind(), DhcpKind::None);
  EXPECT_EQ(read_dhcp(dhcp_head() + std::string("\x39\1\1\xff", 4)).message.most_size(), std::nullopt);
  const auto flood = read_dhcp(dhcp_head() + std::string(30'000, '\x0c') + "\xff");
  EXPECT_LE(flood.message.options.size(), 30'000u);
}

TEST(DhcpMessageTest, TextOfADeviceIsEscaped) {
  EXPECT_EQ(escaped_bytes(std::string("ht1\x1b[2J\\\0\xff", 10)), "ht1\\x1b[2J\\x5c\\x00\\xff");
  EXPECT_EQ(escaped_bytes("plain ~"), "plain ~");
  DhcpMessage message;
  message.add(dhcp_option::kFqdn, std::string("\4\0\0\x3fshort", 9));
  ASSERT_TRUE(message.fqdn());
  EXPECT_EQ(message.fqdn()->name, "\x3fshort") << "labels that are none stay as they came";
  message.options = {{dhcp_option::kFqdn, "\0\0"}};
  EXPECT_EQ(message.fqdn(), std::nullopt);
}

}  // namespace
}  // namespace hilcop
