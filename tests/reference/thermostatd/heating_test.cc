// SPDX-License-Identifier: Apache-2.0
// Which temperature rules: the schedule's, or the one set by hand until the next entry begins, through a restart too.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "reference/thermostatd/rig.h"
#include "thermostatd/heating.h"

namespace ht1 {
namespace {

constexpr int kMonday = 0, kTuesday = 1, kSunday = 6;

// Monday 06:30 warm, Monday 22:00 cool.
const Schedule kDayAndNight{{kMonday, 390, 21}, {kMonday, 1320, 16}};

class HeatingTest : public testing::Test {
 protected:
  double at(int day, int minute) {
    heating_.step(1, day, minute);
    return heating_.state().target;
  }
  Heating heating_{[](bool) {}, [] {}};
};

TEST_F(HeatingTest, ByHandUntilTheNextEntryBegins) {
  heating_.set_schedule(kDayAndNight);
  EXPECT_EQ(at(kMonday, 600), 21);
  heating_.set_target(25);
  EXPECT_EQ(at(kMonday, 1319), 25);
  EXPECT_EQ(at(kMonday, 1320), 16);
}

TEST_F(HeatingTest, ByHandHoldsThroughARestart) {
  heating_.set_schedule(kDayAndNight);
  heating_.set_target(25, 600 - 391);  // set a minute after the entry began
  EXPECT_EQ(at(kMonday, 600), 25);
  EXPECT_EQ(at(kMonday, 1320), 16);
}

TEST_F(HeatingTest, ByHandIsOverWhenAnEntryBeganWhileItWasOff) {
  heating_.set_schedule(kDayAndNight);
  heating_.set_target(25, 600 - 389);
  EXPECT_EQ(at(kMonday, 600), 21);
}

TEST_F(HeatingTest, ByHandIsOverAfterAWeekAlthoughTheSameEntryRules) {
  heating_.set_schedule(kDayAndNight);
  heating_.set_target(25, 7 * 1440);
  EXPECT_EQ(at(kMonday, 600), 21);
}

TEST_F(HeatingTest, WithoutAScheduleByHandIsForEver) {
  heating_.set_target(25, 100 * 1440);
  EXPECT_EQ(at(kSunday, 600), 25);
  heating_.set_target(18);
  EXPECT_EQ(at(kTuesday, 0), 18);
}

TEST_F(HeatingTest, ANewScheduleRulesAtOnce) {
  heating_.set_target(25, 5);
  heating_.set_schedule(kDayAndNight);
  EXPECT_EQ(at(kMonday, 600), 21);
}

TEST_F(HeatingTest, WhoIsForgottenLeavesNoTarget) {
  heating_.set_schedule(kDayAndNight);
  heating_.set_target(25);
  at(kMonday, 600);
  heating_.forget();
  EXPECT_EQ(at(kMonday, 601), Heating::kTargetOfNew);
  EXPECT_TRUE(heating_.schedule().empty());
}

TEST(BeganWithin, CountsOverTheEndOfTheWeekAndNotTheFirstMinute) {
  const Schedule late{{kSunday, 1439, 20}};
  EXPECT_TRUE(began_within(late, kSunday, 1439, 1));
  EXPECT_FALSE(began_within(late, kSunday, 1439, 0));
  EXPECT_TRUE(began_within(late, kMonday, 4, 6));
  EXPECT_FALSE(began_within(late, kMonday, 4, 5));
  EXPECT_FALSE(began_within(late, kMonday, 4, -60)) << "the clock was put back";
  EXPECT_FALSE(began_within({}, kMonday, 4, 100000));
}

TEST(HeatingApi, WhatIsSetByHandIsKeptWithItsTimeUntilAScheduleReplacesIt) {
  ApiRig rig;
  rig.set_up();
  const auto token = rig.login();
  ASSERT_EQ(rig.call("PUT", "/api/target", {{"celsius", 25}}, token).status, 200);
  const auto kept = rig.device->record("target");
  EXPECT_EQ(kept.at("celsius"), 25);
  EXPECT_LE(std::abs(std::time(nullptr) / 60 - kept.at("minute").get<long>()), 1);
  ASSERT_EQ(rig.call("PUT", "/api/schedule", nlohmann::json::array(), token).status, 200);
  EXPECT_EQ(rig.device->record("target"), kept) << "an empty schedule rules nothing";
  const nlohmann::json entry{{"day", 0}, {"at", "06:30"}, {"celsius", 21}};
  ASSERT_EQ(rig.call("PUT", "/api/schedule", nlohmann::json::array({entry}), token).status, 200);
  EXPECT_TRUE(rig.device->record("target").is_null());
}

}  // namespace
}  // namespace ht1
