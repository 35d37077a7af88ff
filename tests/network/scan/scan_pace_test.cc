// SPDX-License-Identifier: Apache-2.0
#include "network/scan/scan_pace.h"

#include <gtest/gtest.h>

namespace hilcop {
namespace {

constexpr SteadyTime kBegin{Nanoseconds(1'000'000'000)};

std::size_t sent_in(ScanPace& pace, SteadyTime from, Nanoseconds span) {
  std::size_t sent = 0;
  for (auto now = from; now < from + span; now += 1ms)
    for (auto allowed = pace.allowed(now); allowed > 0; --allowed) pace.sent(), ++sent;
  return sent;
}

TEST(ScanPace, SendsItsRateAndNoBurst) {
  ScanPace pace(1000, kBegin);
  EXPECT_NEAR(static_cast<double>(sent_in(pace, kBegin, 2s)), 2000, 20);
  EXPECT_LE(pace.allowed(kBegin + 60s), 10U) << "what was not sent is not sent all at once";
}

TEST(ScanPace, SaysWhenTheNextMayBeSent) {
  ScanPace pace(100, kBegin);
  EXPECT_EQ(pace.allowed(kBegin), 0U);
  const auto next = pace.next(kBegin);
  EXPECT_EQ(next, kBegin + 10ms);
  EXPECT_EQ(pace.allowed(next), 1U);
}

TEST(ScanPace, ALateBeatHalvesItAndGoodOnesGiveItBack) {
  ScanPace pace(1000, kBegin);
  pace.at_rest(2ms);
  pace.answered(59ms, kBegin + 1s);
  EXPECT_EQ(pace.rate(), 1000) << "5 times 2 ms and 50 ms is not late";
  pace.answered(61ms, kBegin + 2s);
  EXPECT_EQ(pace.rate(), 500);
  pace.answered(2ms, kBegin + 3s);
  EXPECT_EQ(pace.rate(), 550);
  for (int i = 0; i < 20; ++i) pace.answered(2ms, kBegin + 4s);
  EXPECT_EQ(pace.rate(), 1000);
  EXPECT_EQ(pace.slowest(), 500);
}

TEST(ScanPace, SeveralSignsOfOneTroubleSlowItOnce) {
  ScanPace pace(1000, kBegin);
  pace.at_rest(2ms);
  for (int i = 0; i < 5; ++i) pace.answered(1s, kBegin + 1s + i * 50ms);
  EXPECT_EQ(pace.rate(), 500);
  pace.answered(1s, kBegin + 1s + 500ms);
  EXPECT_EQ(pace.rate(), 250);
}

TEST(ScanPace, ItNeverEndsByBeingSlow) {
  ScanPace pace(1000, kBegin);
  pace.at_rest(2ms);
  for (int i = 0; i < 100; ++i) pace.answered(1s, kBegin + i * 1s);
  EXPECT_EQ(pace.rate(), ScanPace::kLeast);
}

TEST(ScanPace, ThreeMissedHoldItUntilOneIsAnswered) {
  ScanPace pace(1000, kBegin);
  pace.missed(kBegin + 1s);
  pace.missed(kBegin + 2s);
  EXPECT_FALSE(pace.held());
  pace.missed(kBegin + 3s);
  ASSERT_TRUE(pace.held());
  EXPECT_EQ(pace.allowed(kBegin + 10s), 0U);
  EXPECT_EQ(pace.held_for(kBegin + 10s), 7s);
  pace.answered(2ms, kBegin + 11s);
  EXPECT_FALSE(pace.held());
  EXPECT_EQ(pace.allowed(kBegin + 11s), 0U) << "nothing has gathered while it was held";
  EXPECT_GT(pace.allowed(kBegin + 12s), 0U);
  pace.missed(kBegin + 13s);
  EXPECT_FALSE(pace.held()) << "they must be in a row";
}

}  // namespace
}  // namespace hilcop
