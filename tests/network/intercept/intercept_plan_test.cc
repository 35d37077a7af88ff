// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "network/intercept/cases.h"
#include "network/intercept/intercept_plan.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

const TcpAddress kThere{"198.18.0.10", 443};

TEST(InterceptPlanTest, EachNameGoesThroughTheCasesInTurn) {
  InterceptPlan plan(Sound);
  plan.set({}, {SelfSigned, UnknownCa, Sound});
  EXPECT_EQ(plan.next("a", kThere), SelfSigned);
  EXPECT_EQ(plan.next("b", kThere), SelfSigned);
  EXPECT_EQ(plan.next("a", kThere), UnknownCa);
  EXPECT_EQ(plan.next("", kThere), SelfSigned) << "without a name, by its address";
  EXPECT_EQ(plan.next("", {"198.18.0.11", 443}), SelfSigned);
  EXPECT_EQ(plan.next("", kThere), UnknownCa);
  EXPECT_EQ(plan.next("a", kThere), Sound);
  EXPECT_EQ(plan.next("a", kThere), Sound) << "the last one stays";
  plan.set({}, {Expired});
  EXPECT_EQ(plan.next("a", kThere), Expired) << "set again, it begins anew";
  plan.set({}, {});
  EXPECT_EQ(plan.next("a", kThere), Sound);
  plan.set_default(Strip);
  EXPECT_EQ(plan.next("a", kThere), Strip);
}

TEST(InterceptPlanTest, TheMorePreciseTargetCounts) {
  InterceptPlan plan(Sound);
  plan.set({"", "", 443}, {Expired});
  plan.set({"", "198.18.0.10", 0}, {WrongName});
  plan.set({"a", "", 0}, {WeakKey});
  EXPECT_EQ(plan.next("a", kThere), WeakKey);
  EXPECT_EQ(plan.next("b", kThere), WrongName);
  EXPECT_EQ(plan.next("b", {"198.18.0.11", 443}), Expired);
  EXPECT_EQ(plan.next("b", {"198.18.0.11", 8883}), Sound);
  plan.clear();
  EXPECT_EQ(plan.next("a", kThere), Sound);
}

TEST(InterceptPlanTest, NamesThatAreMadeUpDoNotFillTheMemory) {
  InterceptPlan plan(Sound);
  plan.set({}, {SelfSigned, Sound});
  for (std::size_t i = 0; i < InterceptPlan::kMostNames; ++i) plan.next("n" + std::to_string(i), kThere);
  EXPECT_EQ(plan.next("n5", kThere), Sound) << "known before";
  EXPECT_EQ(plan.next("x1", kThere), SelfSigned);
  EXPECT_EQ(plan.next("x2", kThere), Sound) << "they share a count";
}

TEST(InterceptCaseTest, EveryCaseHasANameThatFindsIt) {
  for (const auto& facts : intercept_cases()) {
    EXPECT_EQ(intercept_case_named(facts.name), facts.which);
    EXPECT_EQ(&facts_of(facts.which), &facts) << "the table is in the order of the enum";
  }
  EXPECT_THAT(error_of([] { intercept_case_named("expird"); }).what(), HasSubstr("one of sound, self_signed"));
}

}  // namespace
}  // namespace hilcop
