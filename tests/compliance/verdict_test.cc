// SPDX-License-Identifier: Apache-2.0
#include "compliance/verdict.h"

#include <array>

#include <gtest/gtest.h>

namespace hilcop {
namespace {

constexpr std::array kWorstFirst{Verdict::Fail,     Verdict::Error, Verdict::Inconclusive, Verdict::NotRun,
                                 Verdict::Attested, Verdict::Pass,  Verdict::NotApplicable};

TEST(Verdict, OfAnyTwoTheWorseStandsInEitherOrder) {
  for (std::size_t i = 0; i < kWorstFirst.size(); ++i)
    for (std::size_t j = i; j < kWorstFirst.size(); ++j) {
      EXPECT_EQ(worst(std::array{kWorstFirst[i], kWorstFirst[j]}), kWorstFirst[i]);
      EXPECT_EQ(worst(std::array{kWorstFirst[j], kWorstFirst[i]}), kWorstFirst[i]);
    }
}

TEST(Verdict, OfNothingIsNotRun) { EXPECT_EQ(worst({}), Verdict::NotRun); }

TEST(Verdict, OnlyWhatWasJudgedAndPassedExitsWithZero) {
  EXPECT_EQ(exit_status(std::array{Verdict::Pass, Verdict::NotApplicable}), 0);
  EXPECT_EQ(exit_status(std::array{Verdict::Pass, Verdict::Attested}), 0);
  EXPECT_EQ(exit_status(std::array{Verdict::Pass, Verdict::Fail, Verdict::Error}), 1);
  for (const auto unjudged : {Verdict::Error, Verdict::Inconclusive, Verdict::NotRun})
    EXPECT_EQ(exit_status(std::array{Verdict::Pass, unjudged}), 3);
  EXPECT_EQ(exit_status(std::array{Verdict::NotApplicable}), 3);
  EXPECT_EQ(exit_status({}), 3);
}

TEST(Verdict, NamesGoBothWays) {
  for (const auto verdict : kWorstFirst) EXPECT_EQ(verdict_from_string(to_string(verdict)), verdict);
  EXPECT_EQ(verdict_from_string("pass"), std::nullopt);
}

}  // namespace
}  // namespace hilcop
