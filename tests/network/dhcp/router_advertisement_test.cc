// SPDX-License-Identifier: Apache-2.0
// Router advertisements byte for byte (RFC 4861 4.2, RFC 8106 5.1), and solicitations that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "fakes/error_of.h"
#include "network/dhcp/router_advertiser.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

constexpr std::string_view kSolicitation("\x85\0\0\0\0\0\0\0\1\1\2\0\0\0\0\1", 16);

TEST(RouterAdvertisementTest, IsWrittenByteForByte) {
  RouterAdvertisement says;
  says.router_lifetime = 1800s;
  says.other_config = true;
  says.link_layer = std::string("\2\0\0\0\0\2", 6);
  says.mtu = 1500;
  says.prefixes = {{.address = Ipv6::of("fd77::"), .length = 64, .valid = 3600s, .preferred = 600s}};
  says.name_servers = {Ipv6::of("fd77::1")};
  says.name_server_lifetime = 0xffffffffs;
  says.check("router");
  const auto prefix = std::string("\xfd\x77\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
  EXPECT_EQ(says.packet(), std::string("\x86\0\0\0\x40\x40\x07\x08\0\0\0\0\0\0\0\0", 16) + std::string("\1\1\2\0\0\0\0\2", 8) +
                               std::string("\5\1\0\0\0\0\x05\xdc", 8) + std::string("\3\4\x40\xc0\0\0\x0e\x10\0\0\x02\x58\0\0\0\0", 16) +
                               prefix + std::string(1, '\0') + std::string("\x19\3\0\0\xff\xff\xff\xff", 8) + prefix + "\1");
  says = {};
  says.router_lifetime = 0s;
  says.hop_limit = 0;
  EXPECT_EQ(says.packet(), "\x86" + std::string(15, '\0')) << "no default route, no prefix";
}

TEST(RouterAdvertisementTest, WhatMakesNoSenseIsRefusedByName) {
  const auto why = [](const std::function<void(RouterAdvertisement&)>& change) {
    RouterAdvertisement says;
    says.prefixes.emplace_back();
    says.check("router");
    change(says);
    return std::string(error_of([&] { says.check("router"); }).what());
  };
  EXPECT_THAT(why([](auto& says) { says.router_lifetime = 65536s; }), HasSubstr("router: a lifetime of 65536 s"));
  EXPECT_THAT(why([](auto& says) { says.prefixes[0].preferred = says.prefixes[0].valid + 1s; }), HasSubstr("prefix: a lifetime"));
  EXPECT_THAT(why([](auto& says) { says.prefixes[0].length = 129; }), HasSubstr("a prefix of 129 bits"));
  EXPECT_THAT(why([](auto& says) { says.prefixes.resize(9); }), HasSubstr("more prefixes"));
  EXPECT_THAT(why([](auto& says) { says.link_layer = "abc"; }), HasSubstr("a link-layer address of 3 bytes"));
  EXPECT_THAT(why([](auto& says) { says.hop_limit = 256; }), HasSubstr("a hop limit of 256"));
  EXPECT_THAT(error_of([] { Ipv6::of("fd77"); }).what(), HasSubstr("is no IPv6 address"));
  EXPECT_EQ(Ipv6::of("fd77:0::1").text(), "fd77::1");
}

TEST(RouterAdvertisementTest, SolicitationsAreReadAndWhatIsNoneIsNamed) {
  const auto read = read_router_solicitation(kSolicitation, 255, false);
  EXPECT_EQ(read.fault, "");
  EXPECT_EQ(read.link_layer, std::string("\2\0\0\0\0\1", 6));
  EXPECT_EQ(read_router_solicitation(kSolicitation.substr(0, 8), 255, true).fault, "");
  EXPECT_THAT(read_router_solicitation(kSolicitation, 64, false).fault, HasSubstr("its hop limit is 64"));
  EXPECT_THAT(read_router_solicitation(kSolicitation, 255, true).fault, HasSubstr("has no address"));
  EXPECT_THAT(read_router_solicitation(std::string("\x85\0\0\0\0\0\0\0\1\0", 10), 255, false).fault, HasSubstr("no length"));
  EXPECT_THAT(read_router_solicitation(std::string("\x86\0\0\0\0\0\0\0", 8), 255, false).fault, HasSubstr("type 134"));
}

TEST(RouterAdvertisementTest, TornOrSpoiltAnywhereNothingIsReadBeyondTheEnd) {
  for (std::size_t size = 0; size < kSolicitation.size(); ++size) {
    const std::string torn(kSolicitation.substr(0, size));
    ASSERT_EQ(read_router_solicitation(torn, 255, false).fault.empty(), size == 8) << size;
  }
  for (std::size_t bit = 0; bit < kSolicitation.size() * 8; ++bit) {
    std::string spoilt(kSolicitation);
    spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << (bit % 8)));
    const auto read = read_router_solicitation(spoilt, 255, false);
    ASSERT_EQ(read.fault.empty(), !(bit < 16 || (bit >= 72 && bit < 80))) << bit << ": " << read.fault;
  }
}

TEST(RouterAdvertiserTest, WhatIsNoRawIcmpSocketIsRefused) {
  const auto open = [](int fd) { RouterAdvertiser advertiser(UniqueFd(fd), 1, {}, {}); };
  EXPECT_THAT(error_of([&] { open(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }).what(), HasSubstr("no ICMPv6 socket"));
  EXPECT_THAT(error_of([&] { open(-1); }).what(), HasSubstr("no ICMPv6 socket"));
}

}  // namespace
}  // namespace hilcop
