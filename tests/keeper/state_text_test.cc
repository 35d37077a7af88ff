// SPDX-License-Identifier: Apache-2.0
#include "keeper/state_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "fakes/error_of.h"

namespace hilcop {
namespace {

using nlohmann::json;

StateText state(const std::string& pointer, const std::string& on, const std::string& off) {
  return StateText({{"pointer", pointer}, {"is_on", on}, {"is_off", off}}, "outlet 'x'");
}
bool undecided(const StateText& by, const std::string& text) {
  return error_of([&] { (void)by.is_on(text); }).kind() == ErrorKind::Protocol;
}

TEST(StateTextTest, ExactlyOneOfTheTwoMustBeThere) {
  const auto by = state("", "is on", "is off");
  EXPECT_TRUE(by.is_on("outlet 1 is on"));
  EXPECT_FALSE(by.is_on("outlet 1 is off"));
  EXPECT_TRUE(undecided(by, ""));
  EXPECT_TRUE(undecided(by, "login please"));
  EXPECT_TRUE(undecided(by, "1 is on, 2 is off"));
}

TEST(StateTextTest, APointerNamesTheOneValueThatCounts) {
  const auto by = state("/relays/1/ison", "^true$", "^false$");
  EXPECT_FALSE(by.is_on(R"({"relays":[{"ison":true},{"ison":false}]})"));
  EXPECT_TRUE(by.is_on(R"({"relays":[{"ison":false},{"ison":true}]})"));
  for (const char* text : {"", "true", "{}", R"({"relays":[{"ison":true}]})", R"({"relays":[{"ison":true},{"ison":null}]})",
                           R"({"relays":{"1":{"ison":[true]}}})", R"({"relays":[{"ison":true},{"ison":tru)"})
    EXPECT_TRUE(undecided(by, text)) << text;
}

TEST(StateTextTest, TextsAndNumbersAreValuesToo) {
  EXPECT_TRUE(state("/s", "^ON$", "^OFF$").is_on(R"({"s":"ON"})"));
  EXPECT_FALSE(state("/s", "^1$", "^0$").is_on(R"({"s":0})"));
  EXPECT_TRUE(undecided(state("/s", "1", "0"), R"({"s":10})"));
}

TEST(StateTextTest, BytesAfterAZeroCount) { EXPECT_TRUE(undecided(state("", "on", "off"), std::string("on\0off", 6))); }

TEST(StateTextTest, AHostileTextCostsNoStackAndLittleTime) {
  const auto begin = real_clock().now();
  const std::string most(kSearchedText, 'a');
  for (const char* pattern : {"(a|aa)*b$", ".*on.*x", "(a+a+)+y"}) EXPECT_TRUE(undecided(state("", pattern, "off"), most)) << pattern;
  EXPECT_TRUE(undecided(state("/a", "on", "off"), std::string(65536, '[')));
  EXPECT_LT(real_clock().now() - begin, 5s);
}

// What is cut off could be the other word.
TEST(StateTextTest, ATextThatIsTooLongIsNotDecidedByItsBegin) {
  EXPECT_TRUE(undecided(state("", "off", "on"), "off" + std::string(kSearchedText, ' ')));
  EXPECT_FALSE(state("/s", "^on$", "^off$").is_on(R"({"filler":")" + std::string(kSearchedText, ' ') + R"(","s":"off"})"));
}

TEST(StateTextTest, MistakesOfLabConfigAreNamed) {
  for (const auto& [pointer, on] : std::vector<std::pair<std::string, std::string>>{{"a/b", "x"}, {"", "("}, {"", ""}, {"", "["}}) {
    const auto error = error_of([&, p = pointer, o = on] { state(p, o, "y"); });
    EXPECT_EQ(error.kind(), ErrorKind::Config) << pointer << on;
    EXPECT_EQ(error.object(), "outlet 'x'");
  }
}

}  // namespace
}  // namespace hilcop
