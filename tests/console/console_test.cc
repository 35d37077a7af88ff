// SPDX-License-Identifier: Apache-2.0
#include <future>

#include "console_fixture.h"
#include "fakes/waiting_thread.h"

namespace hilcop {
namespace {

INSTANTIATE_TEST_SUITE_P(AnyArrival, ConsoleTest, testing::ValuesIn(kArrivals), name_of_arrival);

TEST_P(ConsoleTest, AReplyThatCameBeforeTheCallCounts) {
  auto& console = open();
  device_says("hello\r\nlogin: ");
  ASSERT_TRUE(console.wait_silence(50ms, Deadline::in(5s)));
  EXPECT_EQ(expect("login: $").text, "login: ");
}

TEST_P(ConsoleTest, MatchesOneAfterAnotherAndNothingTwice) {
  open();
  device_says("one\ntwo\none\n");
  EXPECT_EQ(expect("one").span.begin, 0u);
  EXPECT_EQ(expect("two").before, "\n");
  EXPECT_EQ(expect("one").span.begin, 8u);
  EXPECT_EQ(error_of([&] { expect("one", 30ms); }).kind(), ErrorKind::Timeout);
}

TEST_P(ConsoleTest, TheLeftmostOfSeveralPatternsWins) {
  auto& console = open();
  device_says("xx second yy first zz\n");
  const std::array patterns{Pattern::regex("first"), Pattern::literal("second")};
  EXPECT_EQ(console.expect(patterns, Deadline::in(5s)).pattern, 1u);
  EXPECT_EQ(console.expect(patterns, Deadline::in(5s)).pattern, 0u);
}

TEST_P(ConsoleTest, CapturesAreWholeHoweverTheBytesArrive) {
  open();
  std::thread device([&] {
    for (const char* piece : {"READY up=1", "2.3", "4 ok\r", "\nmore\n"}) device_says(piece);
  });
  const auto match = expect("READY up=([0-9.]+) (\\w+)");
  device.join();
  ASSERT_EQ(match.groups.size(), 2u);
  EXPECT_EQ(match.groups[0], "12.34");
  EXPECT_EQ(match.groups[1], "ok");
}

TEST_P(ConsoleTest, AnotherWorkerGoesOnWithTheRecordingOfOneThatDied) {
  options_.watchers = {{"stage:up", Pattern::regex("^up [0-9]$"), false}};
  device_says_to_a_console_of_its_own("first, up 1\nhalf");
  auto& console = open();
  EXPECT_EQ(console.offset(), 16u);
  device_says("up 2\nup 3\n");
  EXPECT_EQ(console.wait_watcher("stage:up", 16, Deadline::in(5s)).span.begin, 16u);  // it begins a line
  EXPECT_EQ(expect("up 3\n").before, "up 2\n");
  EXPECT_EQ(console.bytes({0, 25}), "first, up 1\nhalfup 2\nup 3");
  console.flush();
  EXPECT_EQ(recorded(".raw"), "first, up 1\nhalfup 2\nup 3\n");
  EXPECT_NE(recorded(".log").find("first, up 1\n"), std::string::npos);
  EXPECT_NE(recorded(".log").find("goes on in another process"), std::string::npos);
  EXPECT_EQ(recorded(".index").size() % 24, 0u);
  EXPECT_EQ(sink_.events("console.open").back().data.at("offset"), 16);
}

TEST_P(ConsoleTest, MarkForgetsWhatWasBefore) {
  auto& console = open();
  device_says("old\n");
  ASSERT_TRUE(console.wait_silence(50ms, Deadline::in(5s)));
  console.mark();
  EXPECT_EQ(error_of([&] { expect("old", 30ms); }).kind(), ErrorKind::Timeout);
}

TEST_P(ConsoleTest, ATimeoutShowsWhatWasSeenInstead) {
  open();
  device_says("U-Boot 2023.01\r\nsomething \x01 else\r\n");
  const auto error = error_of([&] { expect("Linux", 200ms); });
  EXPECT_NE(std::string(error.what()).find("something \\x01 else"), std::string::npos) << error.what();
}

TEST_P(ConsoleTest, AFatalWatcherEndsAWaitAtOnce) {
  options_.watchers = linux_watchers();
  open();
  device_says("booting\n[    1.5] Kernel panic - not syncing: Attempted to kill init!\r\n");
  const auto begin = real_clock().now();
  const auto error = error_of([&] { expect("login", 30s); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_NE(error.cause().find("Attempted to kill init"), std::string::npos);
  EXPECT_LT(real_clock().now() - begin, 5s);
}

TEST_P(ConsoleTest, ADeathIsNotOverBecauseAWaitEndedWithIt) {
  options_.watchers = linux_watchers();
  auto& console = open();
  device_says("before\n[    1.5] Kernel panic - not syncing: Attempted to kill init!\r\nlogin: ");
  while (!console.wait_silence(50ms, Deadline::in(5s))) continue;
  for (int i = 0; i < 2; ++i) {
    const auto error = error_of([&] { expect("login", 300ms); });
    EXPECT_EQ(error.kind(), ErrorKind::Protocol) << error.what();
    ASSERT_EQ(error.context().size(), 1u);
    EXPECT_NE(error.context()[0].find("before"), std::string::npos) << error.what();
  }
  console.mark();
  EXPECT_EQ(error_of([&] { expect("login", 30ms); }).kind(), ErrorKind::Timeout);
}

TEST_P(ConsoleTest, WatchersSeeEveryHitAlsoWhenNobodyWaits) {
  options_.watchers = {{"stage:boot", Pattern::regex("^U-Boot [0-9]{4}"), false}, {"stage:up", Pattern::regex("login: $"), false}};
  auto& console = open();
  device_says("\r\nU-Boot 2023.01\r\nnot at begin: U-Boot 2024\r\nlogin: ");
  const auto up = console.wait_watcher("stage:up", 0, Deadline::in(5s));
  const auto hits = console.hits_since(0);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].watcher, "stage:boot");
  EXPECT_EQ(hits[0].span.begin, 2u);
  EXPECT_EQ(console.bytes(up.span), "login: ");
  EXPECT_EQ(sink_.events("console.watch").size(), 2u);
}

TEST_P(ConsoleTest, AWatcherSeesALineThatBeginsAfterABareCarriageReturn) {
  options_.watchers = {{"panic", Pattern::regex("^PANIC"), true}};
  open();
  device_says("x\n\rPANIC\n\r");  // many small systems end their lines so
  EXPECT_EQ(error_of([&] { expect("never", 2s); }).kind(), ErrorKind::Protocol);
}

TEST_P(ConsoleTest, AWatcherOfOnePromptOrAnotherWaitsForTheEndOfTheLine) {
  options_.watchers = {{"stage:up", Pattern::regex("(login: $|[#$] $)"), false}};
  auto& console = open();
  device_says("login: no\n");
  ASSERT_TRUE(console.wait_silence(50ms, Deadline::in(5s)));
  device_says("login: ");
  const auto hit = console.wait_watcher("stage:up", 0, Deadline::in(2s));
  EXPECT_EQ(hit.span.begin, 10u);
}

TEST_P(ConsoleTest, TheRecordingIsByteExactWhateverTheBytes) {
  open();
  std::string all("\0\xff\xfe broken \xc3\x28 utf-8 \x1b[0m\n", 26);
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  device_says(all + "END");
  expect("END");
  console_->flush();
  EXPECT_EQ(recorded(".raw"), all + "END");
  EXPECT_EQ(recorded(".index").size() % 24, 0u);
  const std::string log = recorded(".log");
  EXPECT_NE(log.find("\\xff\\xfe broken \\xc3( utf-8 \\x1b[0m"), std::string::npos) << log;
  EXPECT_NO_THROW(nlohmann::json(log).dump());  // valid UTF-8
}

TEST_P(ConsoleTest, WhatIsReceivedIsOnFileSoonWithoutAnyCall) {
  open();
  device_says("kept by itself\n");
  const Deadline deadline = Deadline::in(5s);
  while (recorded(".raw").size() < 15 && !deadline.expired()) wait_until(deadline.at_most(5ms));
  EXPECT_EQ(recorded(".raw"), "kept by itself\n");
}

TEST_P(ConsoleTest, AClosedLineIsDisconnectedAfterWhatItSaid) {
  open();
  device_says("last words");
  device_.reset();
  EXPECT_EQ(expect("last words").text, "last words");
  EXPECT_EQ(error_of([&] { expect("more", 30s); }).kind(), ErrorKind::Disconnected);
  ASSERT_EQ(console_->gaps_since(0).size(), 1u);
  EXPECT_EQ(console_->gaps_since(0)[0].cause, "lost");
}

TEST_P(ConsoleTest, ALineThatComesBackIsOpenedAgainWithAGap) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd second(ends[0]), new_device(ends[1]);
  options_.reopen = [&] { return make_socket_stream(std::move(second), "again"); };
  open();
  console_->power_changed(false);
  device_.reset();
  ASSERT_EQ(::send(new_device.get(), "back\n", 5, 0), 5);
  EXPECT_EQ(expect("back").text, "back");
  ASSERT_FALSE(console_->gaps_since(0).empty());
  EXPECT_EQ(console_->gaps_since(0)[0].cause, "powered_off");
  console_->close();  // before what it would open again dies
}

TEST_P(ConsoleTest, AnInterruptEndsTheWait) {
  open();
  std::thread later([] { request_interrupt(); });
  EXPECT_THROW(expect("never", 60s), Interrupted);
  later.join();
  clear_interrupt();
}

TEST_P(ConsoleTest, WhatIsReadBackFromTheRecordingBeginsNoLine) {
  if (GetParam().stall_every != 0) return;  // here the amount is judged
  auto& console = open();
  device_says("login: abc\n");
  expect("login: ");
  std::thread device([&] { device_says(std::string(70'000, '-') + "\nEND"); });
  const Deadline deadline = Deadline::in(60s);
  while (console.offset() < 11 + 70'004 && !deadline.expired()) wait_until(deadline.at_most(5ms));
  device.join();
  EXPECT_EQ(error_of([&] { expect("^abc", 30ms); }).kind(), ErrorKind::Timeout);
  EXPECT_EQ(expect("(?<=: )abc").span.begin, 7u);
}

TEST_P(ConsoleTest, APatternThatTakesTooManyStepsIsAnErrorNotAnAbsence) {
  open();
  device_says(std::string(60, 'a') + "\nkernel: panic\n");
  const auto error = error_of([&] { expect("(\\w+ ?)+: panic", 300ms); });
  EXPECT_EQ(error.kind(), ErrorKind::Exhausted) << error.what();
}

TEST_P(ConsoleTest, AWatcherThatTakesTooManyStepsIsAGapAndEndsWaits) {
  options_.watchers = {{"panic", Pattern::regex("(\\w+ ?)+: panic"), true}};
  auto& console = open();
  device_says(std::string(60, 'a') + "\nkernel: panic\nlogin: ");
  const auto error = error_of([&] { expect("never", 30s); });
  EXPECT_EQ(error.kind(), ErrorKind::Exhausted) << error.what();
  EXPECT_NE(std::string(error.what()).find("watcher 'panic'"), std::string::npos) << error.what();
  ASSERT_FALSE(console.gaps_since(0).empty());
  EXPECT_EQ(console.gaps_since(0)[0].cause, "unwatched");
}

// While it lives, the loop's thread reads nothing: it is held in the first read of another console.
class BusyLoop {
 public:
  BusyLoop(IoLoop& loop, EventSink& sink) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socket pair");
    device_.reset(ends[1]);
    ConsoleOptions options;
    options.source = "board2/main";
    console_ = Console::open(std::make_unique<Held>(make_socket_stream(UniqueFd(ends[0]), "other"), *this), options, loop, sink);
    if (::send(device_.get(), "x", 1, MSG_NOSIGNAL) != 1) throw std::runtime_error("nobody takes a byte");
  }
  ~BusyLoop() { let_go_.set_value(); }
  void wait() { busy_.get_future().wait(); }

 private:
  class Held final : public ByteStream {
   public:
    Held(std::unique_ptr<ByteStream> inner, BusyLoop& loop) : inner_(std::move(inner)), loop_(loop) {}
    const std::string& name() const override { return inner_->name(); }
    int fd() const override { return inner_->fd(); }
    std::size_t read_some(std::span<std::byte> into) override {
      const auto n = inner_->read_some(into);
      if (n > 0 && !std::exchange(held_, true)) loop_.busy_.set_value(), loop_.let_go_.get_future().wait();
      return n;
    }
    std::size_t write_some(std::span<const std::byte> bytes) override { return inner_->write_some(bytes); }
    void check_present() override {}
    void set_line(ModemLine, bool) override {}
    void send_break(std::chrono::milliseconds) override {}
    std::optional<LineCounters> line_counters() override { return std::nullopt; }

   private:
    std::unique_ptr<ByteStream> inner_;
    BusyLoop& loop_;
    bool held_ = false;
  };

  UniqueFd device_;
  std::promise<void> busy_, let_go_;
  std::unique_ptr<Console> console_;
};

TEST_P(ConsoleTest, WhatNobodyHasReadYetIsNoSilence) {
  auto& console = open();
  BusyLoop busy(*loop_, sink_);
  busy.wait();
  device_says("still alive\n");
  EXPECT_FALSE(console.wait_silence(100ms, Deadline::in(150ms), real_clock().now()));
}

TEST_P(ConsoleTest, AllThatCameBeforeAMarkIsBeforeIt) {
  if (GetParam().stall_every != 0) return;  // what a stalled line holds back comes later
  auto& console = open();
  BusyLoop busy(*loop_, sink_);
  busy.wait();
  device_says(std::string(100'000, '-') + "stale");
  EXPECT_EQ(console.mark(), 100'005u);
  EXPECT_EQ(error_of([&] { expect("stale", 30ms); }).kind(), ErrorKind::Timeout);
}

TEST_P(ConsoleTest, AMatchOfAnotherThreadTakesNothingFromOneThatWaits) {
  auto& console = open();
  for (int round = 0; round < 20; ++round) {
    console.mark();
    WaitingThread other([&] { EXPECT_EQ(expect("later").text, "later"); });
    WaitingThread third([&] { EXPECT_EQ(expect("sooner").text, "sooner"); });
    const auto from = console.offset();
    device_says("sooner.later");
    other.join();
    third.join();
    EXPECT_EQ(error_of([&] { expect("sooner|later", 1ms); }).kind(), ErrorKind::Timeout);
    EXPECT_EQ(console.offset(), from + 12);
  }
}

TEST_P(ConsoleTest, AnInterruptWhileALineIsOpenedAgainEndsNothingElse) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd second(ends[0]), new_device(ends[1]);
  options_.reopen = [&, interrupted = false]() mutable {
    if (!std::exchange(interrupted, true)) throw Interrupted();
    return make_socket_stream(std::move(second), "again");
  };
  auto& console = open();
  device_.reset();
  ASSERT_EQ(::send(new_device.get(), "back\n", 5, 0), 5);
  EXPECT_EQ(expect("back").text, "back");
  console.close();  // before what it would open again dies
}

TEST_P(ConsoleTest, TwoThreadsMayWaitAtOnce) {
  options_.watchers = {{"stage:x", Pattern::regex("xyz"), false}};
  auto& console = open();
  std::thread other([&] { EXPECT_EQ(console.wait_watcher("stage:x", 0, Deadline::in(20s)).watcher, "stage:x"); });
  std::thread device([&] { device_says("abc\nxyz\n"); });
  EXPECT_EQ(expect("xyz", 20s).text, "xyz");
  other.join();
  device.join();
}

TEST_P(ConsoleTest, WritesInPacedChunks) {
  options_.pacing = {2, 20ms};
  auto& console = open();
  const auto begin = real_clock().now();
  console.write("abcdef", Deadline::in(5s));
  EXPECT_GE(real_clock().now() - begin, 40ms);  // three chunks, two pauses
  EXPECT_EQ(device_hears(6), "abcdef");
}

TEST_P(ConsoleTest, SilenceIsToldFromSpeech) {
  auto& console = open();
  EXPECT_TRUE(console.wait_silence(20ms, Deadline::in(5s)));
}

TEST_P(ConsoleTest, TenMegabytesWithoutALineEndAreOrdinary) {
  if (GetParam().stall_every != 0) return;  // a stall every few bytes is judged above; here the amount is
  if (slow()) options_.record_dir.clear();  // ten million system calls are time enough
  open();
  const std::size_t size = slow() ? 300'000 : 10'000'000;
  std::thread device([&] { device_says(std::string(size, 'x') + "END"); });
  const auto match = expect("[^y]END", 60s);
  device.join();
  EXPECT_EQ(match.span.end, size + 3);
}

TEST_P(ConsoleTest, WhatCameLongBeforeTheCallCountsToo) {
  if (GetParam().stall_every != 0) return;  // here the amount is judged
  auto& console = open();
  const std::size_t size = slow() ? 100'000 : 2'000'000;
  std::thread device([&] { device_says("early 42\r\n" + std::string(size, 'x') + "END\r\n"); });
  const Deadline deadline = Deadline::in(30s);
  while (console.offset() < size + 15 && !deadline.expired()) wait_until(deadline.at_most(5ms));
  device.join();
  const auto match = expect("early ([0-9]+)");
  EXPECT_EQ(match.span.begin, 0u);
  EXPECT_EQ(match.groups.at(0), "42");
  const auto end = expect("END");
  EXPECT_EQ(end.span.begin, size + 10);
  EXPECT_EQ(end.before.size(), 64u * 1024);
}

TEST_P(ConsoleTest, AFullDiskIsToldAndMatchingGoesOn) {
  std::filesystem::create_symlink("/dev/full", dir_ / "board1-main.raw");
  auto& console = open();
  device_says("some bytes\n");
  ASSERT_TRUE(console.wait_silence(100ms, Deadline::in(5s)));
  EXPECT_EQ(error_of([&] { console.flush(); }).kind(), ErrorKind::Exhausted);
  const auto error = error_of([&] { expect("some", 1s); });
  EXPECT_EQ(error.kind(), ErrorKind::Exhausted);
  EXPECT_NE(std::string(error.what()).find("free disk space"), std::string::npos);
  const Deadline deadline = Deadline::in(5s);
  while (console.gaps_since(0).empty() && !deadline.expired()) wait_until(deadline.at_most(5ms));
  ASSERT_FALSE(console.gaps_since(0).empty());
  EXPECT_EQ(console.gaps_since(0)[0].cause, "disk_full");
}

TEST_P(ConsoleTest, ADeathBeforeTheStageIsNoStage) {
  options_.watchers = linux_watchers();
  options_.watchers.push_back({"stage:ready", Pattern::regex("READY"), false});
  auto& console = open();
  device_says("Kernel panic - not syncing: x\r\nrebooting\r\nREADY\r\n");
  ASSERT_TRUE(console.wait_silence(50ms, Deadline::in(5s)));
  EXPECT_EQ(error_of([&] { console.wait_watcher("stage:ready", 0, Deadline::in(1s)); }).kind(), ErrorKind::Protocol);
  EXPECT_EQ(error_of([&] { console.check_alive(0); }).kind(), ErrorKind::Protocol);
  EXPECT_NO_THROW(console.check_alive(console.offset()));
}

TEST_P(ConsoleTest, SilenceCountsFromAMomentOnRequest) {
  auto& console = open();
  ASSERT_TRUE(console.wait_silence(20ms, Deadline::in(5s)));
  const auto now = real_clock().now();
  EXPECT_TRUE(console.wait_silence(60ms, Deadline::in(5s), now));
  EXPECT_GE(real_clock().now() - now, 60ms);
}

}  // namespace
}  // namespace hilcop
