// SPDX-License-Identifier: Apache-2.0
#include "console/pattern.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hilcop {
namespace {

std::string refusal(const std::string& regex) {
  try {
    check_pattern(Pattern::regex(regex));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Config);
    return error.what();
  }
  return "";
}

TEST(Pattern, WhatStaysInItsLineIsFine) {
  for (const char* regex : {"login: $", "U-Boot 20\\d\\d\\.\\d\\d", "READY up=(.*)", "a[^\\n]*b", "^ok$", "(ab|cd)+", "x{2,5}",
                            "\\[ *OK *\\]", "a{b", "[]a]+", "\\S+ \\w+", "[[:alpha:]_]+"})
    EXPECT_EQ(refusal(regex), "") << regex;
}

TEST(Pattern, WhatCouldRunOverLinesWithoutBoundIsRefusedWithAReason) {
  for (const char* regex :
       {"a[\\s\\S]*b", "(a\\n)*b", "a\\s*b", "[^x]+y", "(?s)a.*b", "(?:x|\\n)+", "a\\W+b", "(\\s){2,}", "x[[:space:]]*y", "[[:^alpha:]]+z"})
    EXPECT_NE(refusal(regex), "") << regex;
  EXPECT_NE(refusal("a[\\s\\S]*b").find("can cross lines without bound"), std::string::npos);
}

TEST(Pattern, WhatIsNoPatternIsRefused) {
  for (const char* regex : {"", "(", "[a", "a)", "a\\", "x*", "(?<n", "*a", "\\Qab\\E"}) EXPECT_NE(refusal(regex), "") << regex;
  EXPECT_THROW(check_pattern(Pattern::literal("")), Error);
  EXPECT_THROW(check_pattern(Pattern::regex(std::string("a\0b", 3))), Error);
}

TEST(Pattern, AnAnchorIsNoMemberOfAClassAndNotEscaped) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"^a$", "<a>"},
      {"(^a|b$)$", "(<a|b>)>"},
      {R"(\^a\$\\$)", R"(\^a\$\\>)"},
      {"[^$]$", "[^$]>"},
      {"[]^$]^[^]$]", "[]^$]<[^]$]"},
      {R"([\]$]$)", R"([\]$]>)"},
      {"[[:alpha:]$]$", "[[:alpha:]$]>"},
      {"[$", "[$"},
      {R"(\)", R"(\)"},
  };
  for (const auto& [regex, replaced] : cases) EXPECT_EQ(replace_anchors(regex, "<", ">"), replaced) << regex;
}

TEST(Pattern, RepeatsGetABound) {
  EXPECT_EQ(bounded_regex("a.*b"), "a.{0,4096}b");
  EXPECT_EQ(bounded_regex("x+?"), "x{1,4096}?");
  EXPECT_EQ(bounded_regex("(ab)*"), "(ab){0,255}");
  EXPECT_EQ(bounded_regex("x{3,}"), "x{3,4096}");
}

}  // namespace
}  // namespace hilcop
