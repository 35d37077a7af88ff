// SPDX-License-Identifier: Apache-2.0
#include "io/telnet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilcop {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Told final : TelnetDecoder::Listener {
  void on_negotiation(unsigned char verb, unsigned char option) override {
    list.push_back(std::to_string(verb) + " " + std::to_string(option));
  }
  void on_subnegotiation(std::string_view payload) override { list.push_back("sub " + std::string(payload)); }
  void on_endless() override { endless = true; }
  std::vector<std::string> list;
  bool endless = false;
};

// Decoded whole, and a byte at a time: the same.
std::string decode(const std::string& wire, Told& told, bool binary = true) {
  TelnetDecoder whole, slow;
  whole.set_binary(binary), slow.set_binary(binary);
  Told again;
  std::string bytes = wire, pieces;
  bytes.resize(whole.decode(bytes, told));
  for (char c : wire) pieces += std::string(&c, slow.decode({&c, 1}, again));
  EXPECT_EQ(pieces, bytes);
  EXPECT_EQ(again.list, told.list);
  return bytes;
}

TEST(TelnetDecoder, TakesCommandsOutAndLeavesEveryByteOfTheLine) {
  Told told;
  EXPECT_EQ(decode("a\xff\xfb\x03"
                   "b\xff\xff"
                   "c\xff\xf1\xff\xfa\x2c\x65x\xff\xff\xff\xf0"
                   "d\r\0e"s,
                   told),
            "ab\xff"
            "cd\r\0e"s);
  EXPECT_THAT(told.list, ElementsAre("251 3", "sub \x2c\x65x\xff"));
}

TEST(TelnetDecoder, TheNulAfterACrIsTelnetsUnlessItIsBinary) {
  Told told;
  EXPECT_EQ(decode("a\r\0b\r\n\0c\r\r\0"s, told, false), "a\rb\r\n\0c\r\r"s);
  EXPECT_EQ(decode("a\r\0b"s, told, true), "a\r\0b"s);
  EXPECT_EQ(decode("\r\xff\xf1\0x"s, told, false), "\rx"s);
}

TEST(TelnetDecoder, ACommandInASubnegotiationEndsItAndTheLineGoesOn) {
  Told told;
  EXPECT_EQ(decode("\xff\xfa\x2cgarbage\xff\xfb\x01"
                   "line"s,
                   told),
            "line");
  EXPECT_THAT(told.list, ElementsAre("251 1"));
  Told none;
  EXPECT_EQ(decode("\xff\xf0"
                   "SE alone"s,
                   none),
            "SE alone");
}

// Else it would swallow what the device says for ever, as if the device were silent.
TEST(TelnetDecoder, ASubnegotiationWithoutEndIsTold) {
  Told told;
  decode("\xff\xfa" + std::string(TelnetDecoder::kLongestSubnegotiation, 'x'), told);
  EXPECT_FALSE(told.endless);
  decode("\xff\xfa" + std::string(TelnetDecoder::kLongestSubnegotiation + 1, 'x'), told);
  EXPECT_TRUE(told.endless);
}

TEST(Telnet, ASubnegotiationIsDoubled) {
  EXPECT_EQ(telnet::subnegotiation("\x2c\x0b\xff"), "\xff\xfa\x2c\x0b\xff\xff\xff\xf0");
  Told told;
  EXPECT_THAT(decode(telnet::subnegotiation("\xff\xff"), told), IsEmpty());
  EXPECT_THAT(told.list, ElementsAre("sub \xff\xff"));
}

}  // namespace
}  // namespace hilcop
