// SPDX-License-Identifier: Apache-2.0
#include "evidence/timeline.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/temp_dir.h"
#include "io/unix_socket.h"

namespace hilcop {
namespace {

TEST(Timeline, WhatWasEmittedSurvivesASigkill) {
  TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto timeline = Timeline::open({dir / "t.ndjson", {}, "w"});
    for (int i = 0; i < 100; ++i) timeline->emit(make_event("s", "log", {{"level", "info"}, {"text", std::to_string(i)}}));
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  const auto read = read_timeline(dir / "t.ndjson");
  ASSERT_EQ(read.events.size(), 101u);
  EXPECT_EQ(read.events.back().data.at("text"), "99");
  EXPECT_TRUE(read.torn.empty());
}

TEST(Timeline, WhatMayWaitIsWrittenSoonByItselfAndInItsOrder) {
  TempDir dir;
  const auto timeline = Timeline::open({dir / "t.ndjson", {}, "w"});
  const auto kinds = [&] {
    std::string text;
    for (const auto& event : read_timeline(dir / "t.ndjson").events) text += event.kind + " ";
    return text;
  };
  timeline->emit(make_event("c", "console.sent"));
  const Deadline deadline = Deadline::in(5s);
  while (kinds() == "timeline.open " && !deadline.expired()) wait_until(deadline.at_most(5ms));
  EXPECT_EQ(kinds(), "timeline.open console.sent ");
  timeline->emit(make_event("c", "console.match"));
  timeline->emit(make_event("s", "check.verdict"));
  EXPECT_EQ(kinds(), "timeline.open console.sent console.match check.verdict ");
}

TEST(Timeline, SeveralThreadsNeverMixTheirLines) {
  TempDir dir;
  {
    const auto timeline = Timeline::open({dir / "t.ndjson", {}, "w"});
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i)
          timeline->emit(make_event("s", i % 2 == 0 ? "log" : "console.match", {{"text", std::string(500, 'x')}}));
      });
  }
  const auto read = read_timeline(dir / "t.ndjson");
  EXPECT_EQ(read.events.size(), 801u);
  EXPECT_TRUE(read.damaged.empty());
}

TEST(Timeline, FilesOfAFolderAreMergedByTime) {
  TempDir dir;
  const auto line = [](int ns, const char* kind) {
    return to_json(Event{from_ns(ns), {}, "s", kind, nlohmann::json::object()}).dump() + "\n";
  };
  std::ofstream(dir / "a.ndjson") << line(3, "three") << line(5, "five");
  std::ofstream(dir / "b.ndjson") << line(1, "one") << line(4, "four");
  std::string kinds;
  for (const auto& event : read_timeline(dir.path()).events) kinds += event.kind + " ";
  EXPECT_EQ(kinds, "one three four five ");
}

TEST(Timeline, AFullDiskIsToldOnceAskedAndKeepsWhatWasWritten) {
  const auto timeline = Timeline::open({"/dev/full", {}, "w"});
  timeline->emit(make_event("s", "log", {{"text", "x"}}));
  try {
    timeline->check();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Exhausted);
    EXPECT_NE(std::string(error.what()).find("free disk space"), std::string::npos);
  }
}

TEST(Timeline, InvalidUtf8FromADeviceIsNoReasonToLoseAnEvent) {
  TempDir dir;
  Timeline::open({dir / "t.ndjson", {}, "w"})->emit(make_event("s", "log", {{"text", "a\xff b"}}));
  EXPECT_EQ(read_timeline(dir / "t.ndjson").events.size(), 2u);
}

TEST(Timeline, AReaderOfTheEventSocketGetsEventsAndBytes) {
  TempDir dir;
  const auto timeline = Timeline::open({{}, dir / "s", "w"});
  JsonLines reader(connect_unix(dir / "s", Deadline::in(5s)), "timeline");
  // The reader is accepted by another thread: say it until it is heard.
  const Deadline deadline = Deadline::in(10s);
  std::optional<nlohmann::json> heard;
  while (!heard && !deadline.expired()) {
    timeline->console_bytes("a/main", 7, std::as_bytes(std::span("ab", 2)));
    heard = reader.receive(deadline.at_most(20ms));
  }
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->at("kind"), "console.bytes");
  EXPECT_EQ(heard->at("data").at("base64"), "YWI=");
}

TEST(Timeline, TimesGoThroughJsonUnchanged) {
  const Event event{from_ns(123'456'789'012), UtcTime(Nanoseconds(1'764'000'000'123'456'789)), "s", "k", {{"x", 1}}};
  const auto back = event_from_json(to_json(event));
  EXPECT_EQ(back.steady, event.steady);
  EXPECT_EQ(back.utc, event.utc);
  EXPECT_EQ(back.data, event.data);
}

}  // namespace
}  // namespace hilcop
