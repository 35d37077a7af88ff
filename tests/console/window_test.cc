// SPDX-License-Identifier: Apache-2.0
#include "console/window.h"

#include <random>

#include <gtest/gtest.h>

#include "console/hit_log.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

std::string numbered(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

void feed(Recorder& recorder, Window& window, std::string_view text, std::size_t piece) {
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    recorder.append(text.substr(0, piece), real_clock().now(), real_clock().utc_now());
    window.append(text.substr(0, piece));
  }
}

TEST(Window, WhatIsRecordedIsNotKeptTwiceAndComesBackOnDemand) {
  TempDir dir;
  Recorder recorder(dir.path(), "board1/main");
  Window window(recorder);
  const std::string all = numbered(3'000'000);
  feed(recorder, window, all, 4096);
  EXPECT_LT(window.text().size(), 4 * Window::kLookBack);
  EXPECT_GE(window.text().size(), Window::kLookBack);
  EXPECT_EQ(window.bytes({10, 2'000'000}), all.substr(10, 1'999'990));
  {
    const Window::Need need(window, 100 + Window::kContext);
    EXPECT_EQ(window.text(), std::string_view(all).substr(100));
    feed(recorder, window, "more", 4);
    EXPECT_EQ(window.begin(), 100u);
  }
  feed(recorder, window, numbered(100'000), 4096);
  EXPECT_LT(window.text().size(), 4 * Window::kLookBack);
}

TEST(Window, WithoutARecordingEverythingUnjudgedIsKept) {
  Recorder nowhere({}, "board1/main");
  Window window(nowhere);
  const std::string all = numbered(3'000'000);
  feed(nowhere, window, all, 65536);
  EXPECT_EQ(window.text(), all);
  window.judge_to(window.end());
  feed(nowhere, window, numbered(3'000'000), 65536);
  EXPECT_EQ(error_of([&] { window.bytes({0, 5}); }).kind(), ErrorKind::NotFound);
}

TEST(Window, BeforeTheFirstOfTheNewBytesThereIsAlwaysEnoughToLookBackOn) {
  TempDir dir;
  Recorder recorder(dir.path(), "board1/main");
  Window window(recorder);
  std::mt19937 random(1);
  const std::string all = numbered(70'000);
  for (int i = 0; i < 200; ++i) {
    const auto before = window.end();
    const std::string_view piece = std::string_view(all).substr(0, random() % 70'000 + 1);
    recorder.append(piece, real_clock().now(), real_clock().utc_now());
    window.append(piece);
    ASSERT_LE(window.begin(), before > Window::kLookBack ? before - Window::kLookBack : 0);
  }
}

TEST(Window, MoreThan64MebibytesUnjudgedAreGivenUpAndTold) {
  Recorder nowhere({}, "board1/main");
  Window window(nowhere);
  const std::string block(1u << 20, 'x');
  for (int i = 0; i < 65; ++i) window.append(block);
  EXPECT_TRUE(window.take_overflow());
  EXPECT_FALSE(window.take_overflow());
  EXPECT_LE(window.end() - window.cursor(), Window::kMaxUnjudged);
}

WatcherHit hit(const std::string& watcher, std::uint64_t begin, std::uint64_t end) { return {watcher, {begin, end}, "", {}}; }

// Found in any order within what a watcher may look back on.
TEST(HitLog, AnswersAsALookAtAllOfThemWould) {
  std::mt19937 random(2);
  HitLog log("watchers");
  std::vector<std::pair<WatcherHit, bool>> all;
  std::uint64_t received = 0;
  for (int i = 0; i < 2000; ++i) {
    received += random() % 50;
    const std::uint64_t end = received - std::min<std::uint64_t>(received, random() % 200), begin = end - std::min<std::uint64_t>(end, 9);
    const bool fatal = random() % 100 == 0;
    const auto one = hit(std::to_string(random() % 3), begin, end);
    log.add(one, fatal, received);
    all.emplace_back(one, fatal);
  }
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t offset = random() % (received + 100);
    std::vector<std::uint64_t> expected, got;
    const WatcherHit *first = nullptr, *fatal = nullptr;
    for (const auto& [one, is_fatal] : all) {
      if (one.span.begin >= offset) expected.push_back(one.span.begin);
      if (first == nullptr && one.watcher == "1" && one.span.begin >= offset) first = &one;
      if (fatal == nullptr && is_fatal && one.span.end > offset) fatal = &one;
    }
    for (const auto& one : log.since(offset)) got.push_back(one.span.begin);
    ASSERT_EQ(got, expected);
    const auto* ours = log.first_of("1", offset);
    ASSERT_EQ(ours == nullptr, first == nullptr);
    ASSERT_EQ(ours == nullptr ? 0 : ours->span.begin, first == nullptr ? 0 : first->span.begin);
    const auto* dead = log.first_fatal(offset);
    ASSERT_EQ(dead == nullptr, fatal == nullptr);
    ASSERT_EQ(dead == nullptr ? 0 : dead->span.begin, fatal == nullptr ? 0 : fatal->span.begin);
  }
}

TEST(HitLog, WhatIsNoLongerKeptIsAnErrorNotAnAbsence) {
  HitLog log("watchers of console board1/main");
  for (std::uint64_t i = 0; i < HitLog::kMost + 10; ++i) log.add(hit("w", i * 10, i * 10 + 5), true, i * 10 + 5);
  EXPECT_EQ(error_of([&] { log.since(0); }).kind(), ErrorKind::Exhausted);
  EXPECT_EQ(error_of([&] { log.first_of("w", 0); }).kind(), ErrorKind::Exhausted);
  EXPECT_EQ(log.since(200).size(), HitLog::kMost - 10);
  ASSERT_NE(log.first_fatal(0), nullptr);  // a death long ago is still one
}

}  // namespace
}  // namespace hilcop
