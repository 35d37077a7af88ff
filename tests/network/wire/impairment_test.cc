// SPDX-License-Identifier: Apache-2.0
#include "network/wire/impairment.h"

#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr SteadyTime kBegin{1000s};

std::vector<std::byte> numbered(std::uint32_t number, std::size_t size = 100) {
  std::vector<std::byte> frame(size, std::byte{0x55});
  for (std::size_t i = 0; i < 4; ++i) frame[14 + i] = static_cast<std::byte>(number >> (8 * i));
  return frame;
}

std::uint32_t number_in(std::span<const std::byte> frame) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number |= static_cast<std::uint32_t>(frame[14 + i]) << (8 * i);
  return number;
}

/// A direction with a clock of the test's own.
struct Line {
  void send(std::uint32_t count, Nanoseconds apart = 1ms, std::size_t size = 100) {
    for (std::uint32_t i = 0; i < count; ++i) {
      until(now + apart);
      way.take(numbered(sent++, size), now);
    }
  }
  void until(SteadyTime when) {
    while (const auto next = way.next()) {
      if (*next > when) break;
      now = *next;
      way.release(now);
    }
    now = when;
  }

  SteadyTime now = kBegin;
  std::uint32_t sent = 0;
  std::vector<std::pair<SteadyTime, std::vector<std::byte>>> out;
  ImpairedWay way{[this](std::span<const std::byte> frame) { out.emplace_back(now, std::vector(frame.begin(), frame.end())); }};
};

TEST(ImpairedWay, CleanItPassesAllAtOnceAndInOrder) {
  Line line;
  line.send(1000);
  ASSERT_EQ(line.out.size(), 1000U);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(number_in(line.out[i].second), i);
    EXPECT_EQ(line.out[i].first, kBegin + (i + 1) * Nanoseconds(1ms));
  }
}

TEST(ImpairedWay, LosesTheShareThatIsAsked) {
  Line line;
  line.way.set({.loss = 0.2}, 7);
  line.send(20'000);
  // 4 standard deviations of a binomial: sqrt(20000 * 0.2 * 0.8) = 57
  EXPECT_NEAR(static_cast<double>(line.way.counts().lost), 4000, 228);
  EXPECT_EQ(line.out.size() + line.way.counts().lost, 20'000U);
}

TEST(ImpairedWay, TheSameSeedMakesTheSameFaultsAndAnotherOthers) {
  const auto lost_with = [](std::uint64_t seed) {
    Line line;
    line.way.set({.loss = 0.5}, seed);
    line.send(200);
    std::vector<std::uint32_t> passed;
    for (const auto& [at, frame] : line.out) passed.push_back(number_in(frame));
    return passed;
  };
  EXPECT_EQ(lost_with(1), lost_with(1));
  EXPECT_NE(lost_with(1), lost_with(2));
}

TEST(ImpairedWay, DelaysEachFrameByAsMuchAndKeepsTheOrder) {
  Line line;
  line.way.set({.delay = 100ms, .jitter = 10ms}, 3);
  line.send(5000, 20ms);
  line.until(line.now + 1s);
  ASSERT_EQ(line.out.size(), 5000U);
  double sum = 0, squares = 0;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(number_in(line.out[i].second), i);
    const double late = static_cast<double>((line.out[i].first - (kBegin + (i + 1) * Nanoseconds(20ms))).count()) / 1e6;
    sum += late;
    squares += late * late;
  }
  const double mean = sum / 5000, deviation = std::sqrt(squares / 5000 - mean * mean);
  EXPECT_NEAR(mean, 100, 1.5);
  EXPECT_NEAR(deviation, 10, 1.5);
}

TEST(ImpairedWay, ReordersAShareOfThem) {
  Line line;
  line.way.set({.reorder = 0.1, .delay = 5ms}, 11);
  line.send(10'000);
  line.until(line.now + 1s);
  ASSERT_EQ(line.out.size(), 10'000U);
  EXPECT_NEAR(static_cast<double>(line.way.counts().reordered), 1000, 120);
  std::uint64_t overtaken = 0;
  for (std::size_t i = 1; i < line.out.size(); ++i) overtaken += number_in(line.out[i].second) < number_in(line.out[i - 1].second) ? 1 : 0;
  EXPECT_GT(overtaken, 800U);
}

TEST(ImpairedWay, CorruptsTheShareThatIsAsked) {
  Line line;
  line.way.set({.corrupt = 0.2}, 3);
  line.send(10'000, 1us);
  ASSERT_EQ(line.out.size(), 10'000U);
  std::uint64_t wrong = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) wrong += line.out[i].second != numbered(i) ? 1 : 0;
  EXPECT_EQ(line.way.counts().corrupted, wrong);
  EXPECT_NEAR(static_cast<double>(wrong), 2000, 160);  // 4 standard deviations
}

TEST(ImpairedWay, DuplicatesAndFlipsOneBitBehindTheHeader) {
  Line line;
  line.way.set({.duplicate = 0.25, .corrupt = 1}, 5);
  line.send(2000);
  EXPECT_EQ(line.out.size(), 2000 + line.way.counts().duplicated);
  EXPECT_NEAR(static_cast<double>(line.way.counts().duplicated), 500, 80);
  const auto sound = numbered(0);
  for (const auto& [at, frame] : line.out) {
    int bits = 0;
    for (std::size_t i = 0; i < frame.size(); ++i) {
      if (i >= 14 && i < 18) continue;  // its number
      const int differ = std::popcount(static_cast<unsigned>(frame[i] ^ sound[i]));
      EXPECT_FALSE(i < 14 && differ != 0);
      bits += differ;
    }
    EXPECT_LE(bits, 1);
  }
  EXPECT_EQ(line.way.counts().corrupted, line.out.size());
}

TEST(ImpairedWay, KeepsTheRateAndItsQueueIsBounded) {
  Line line;
  line.way.set({.rate = 1'000'000, .queue = 50}, 1);
  line.send(1000, 100us, 1250);  // 10 ms each at that rate, a hundred times too fast
  line.until(line.now + 10s);
  const auto& counts = line.way.counts();
  EXPECT_EQ(counts.overflowed + line.out.size(), 1000U);
  EXPECT_GT(counts.overflowed, 900U);
  for (std::size_t i = 1; i < line.out.size(); ++i) EXPECT_EQ(line.out[i].first - line.out[i - 1].first, Nanoseconds(10ms));
}

TEST(ImpairedWay, ACutLosesWhatWaits) {
  Line line;
  line.way.set({.delay = 1s}, 1);
  line.send(10);
  line.way.drop_waiting();
  line.until(line.now + 5s);
  EXPECT_TRUE(line.out.empty());
  EXPECT_EQ(line.way.counts().lost, 10U);
}

TEST(ImpairedWay, WhatMakesNoSenseIsRefused) {
  Line line;
  EXPECT_THROW(line.way.set({.loss = 1.5}, 1), Error);
  EXPECT_THROW(line.way.set({.loss = std::nan("")}, 1), Error);
  EXPECT_THROW(line.way.set({.reorder = 0.5}, 1), Error);
  EXPECT_THROW(line.way.set({.delay = -1ms}, 1), Error);
  EXPECT_THROW(line.way.set({.queue = 0}, 1), Error);
  line.send(10);
  EXPECT_EQ(line.out.size(), 10U);
}

}  // namespace
}  // namespace hilcop
