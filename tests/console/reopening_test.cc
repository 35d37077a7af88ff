// SPDX-License-Identifier: Apache-2.0
// Consoles whose line is lost, and what the others of the process notice of it: nothing.
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

struct Line {
  Line() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw error_from_errno(errno, "test", "make a socket");
    ours.reset(ends[0]), device.reset(ends[1]);
  }
  std::unique_ptr<ByteStream> stream() { return make_socket_stream(std::move(ours), "test"); }
  void says(std::string_view text) const { ASSERT_EQ(::send(device.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text)); }
  UniqueFd ours, device;
};

class ReopeningTest : public testing::Test {
 protected:
  std::unique_ptr<Console> open(Line& line, const std::string& name, std::function<std::unique_ptr<ByteStream>()> reopen) {
    ConsoleOptions options;
    options.source = name;
    options.watchers = {{"word", Pattern::literal("word"), false}};
    options.reopen = std::move(reopen);
    return Console::open(line.stream(), std::move(options), *loop_, sink_);
  }
  template <typename Condition>
  static bool soon(const Condition& reached, Nanoseconds within = 5s) {
    const Deadline deadline = Deadline::in(within);
    while (!reached() && !deadline.expired()) wait_until(deadline.at_most(2ms));
    return reached();
  }
  // The board's own adapter goes with the power, and is not there when that comes again.
  void take_away_and_give_power(Console& console, Line& line) {
    console.power_changed(false);
    line.device.reset();
    ASSERT_TRUE(soon([&] { return console.gaps_since(0).size() == 1; }));
    console.power_changed(true);
  }
  static std::unique_ptr<ByteStream> not_there() { throw Error(ErrorKind::NotFound, "test", "is not there", "plug it in"); }

  MemorySink sink_;
  std::unique_ptr<IoLoop> loop_ = IoLoop::start();
};

TEST_F(ReopeningTest, AServerThatDoesNotAnswerDelaysNoOtherConsole) {
  Line lost, sound;
  std::atomic<bool> opening = false;
  const auto blocked = open(lost, "a", [&]() -> std::unique_ptr<ByteStream> {
    opening = true;
    wait_until(Deadline::in(3s));
    return not_there();
  });
  const auto other = open(sound, "b", nullptr);
  lost.device.reset();
  ASSERT_TRUE(soon([&] { return opening.load(); }));
  // Nobody waits on it: the I/O thread reads and matches.
  const auto begin = real_clock().now();
  sound.says("a word\n");
  EXPECT_TRUE(soon([&] { return !other->hits_since(0).empty(); }));
  EXPECT_LT(real_clock().now() - begin, 1s);
  EXPECT_EQ(blocked->gaps_since(0).size(), 1u);
}

TEST_F(ReopeningTest, GoesOnWithTheNewStreamAndSaysHowLongItWasGone) {
  Line first, second;
  std::atomic<int> tries = 0;
  const auto console = open(first, "a", [&] { return ++tries < 3 ? not_there() : second.stream(); });
  first.says("one ");
  ASSERT_TRUE(soon([&] { return console->offset() == 4; }));
  first.device.reset();
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 2; }));
  second.says("word");
  const std::array patterns{Pattern::literal("one word")};
  EXPECT_NO_THROW(console->expect(patterns, Deadline::in(5s)));
  const auto gaps = console->gaps_since(0);
  EXPECT_EQ(gaps[0].cause, "lost");
  EXPECT_EQ(gaps[1].cause, "lost");
  EXPECT_EQ(gaps[1].begin, gaps[0].begin);
  EXPECT_GT(gaps[1].end, gaps[1].begin);
  EXPECT_EQ(gaps[1].offset, 4u);
}

// The wait that lost it goes on with the new one; only one thread reads it.
TEST_F(ReopeningTest, AWaitOutlivesTheLoss) {
  Line first, second;
  const auto console = open(first, "a", [&] { return second.stream(); });
  std::thread device([&] {
    first.device.reset();
    second.says("word");
  });
  const std::array patterns{Pattern::literal("word")};
  EXPECT_NO_THROW(console->expect(patterns, Deadline::in(5s)));
  device.join();
}

TEST_F(ReopeningTest, TriesLessAndLessOftenUntilThePowerComes) {
  Line line;
  std::atomic<int> tries = 0;
  const auto console = open(line, "a", [&] {
    ++tries;
    return not_there();
  });
  console->power_changed(false);
  line.device.reset();
  ASSERT_TRUE(soon([&] { return tries >= 6; }));
  const int before = tries;
  wait_until(Deadline::in(300ms));
  EXPECT_LE(tries - before, 1);
  const int then = tries;
  console->power_changed(true);
  EXPECT_TRUE(soon([&] { return tries > then + 1; }, 250ms));
  EXPECT_EQ(console->gaps_since(0).at(0).cause, "powered_off");
}

TEST_F(ReopeningTest, CanBeClosedWhileItIsOpenedAgain) {
  for (int i = 0; i < 20; ++i) {
    Line first, second;
    std::atomic<bool> opening = false;
    auto console = open(first, "a", [&] {
      opening = true;
      wait_until(Deadline::in(std::chrono::milliseconds(i)));
      return second.stream();
    });
    first.device.reset();
    ASSERT_TRUE(soon([&] { return opening.load(); }));
    if (i % 2 == 0) console->close();
    console.reset();
  }
}

TEST_F(ReopeningTest, AWaitThatEndsSaysThatTheLineIsLostAndWhyItStaysSo) {
  Line line;
  const auto console = open(line, "a", not_there);
  line.device.reset();
  const std::array patterns{Pattern::literal("word")};
  const auto error = error_of([&] { console->expect(patterns, Deadline::in(300ms)); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_THAT(error.what(), HasSubstr("the line is lost"));
  EXPECT_THAT(error.what(), HasSubstr("is not there"));
}

TEST_F(ReopeningTest, ALostLineIsNotSilent) {
  Line first, second;
  std::atomic<bool> there = false;
  const auto console = open(first, "a", [&] { return there ? second.stream() : not_there(); });
  EXPECT_TRUE(console->wait_silence(20ms, Deadline::in(5s)));
  const auto begin = real_clock().now();
  EXPECT_TRUE(console->connected_since(begin));
  first.device.reset();
  EXPECT_FALSE(console->wait_silence(20ms, Deadline::in(5s)));
  EXPECT_FALSE(console->connected_since(begin));
  EXPECT_LT(real_clock().now() - begin, 2s) << "it is known at once";
  there = true;
  ASSERT_TRUE(soon([&] { return console->connected_since(real_clock().now()); }));
  EXPECT_TRUE(console->wait_silence(20ms, Deadline::in(5s)));
  EXPECT_FALSE(console->connected_since(begin));
}

std::vector<std::string> causes_of(const std::vector<Gap>& gaps) {
  std::vector<std::string> causes;
  for (const auto& gap : gaps) causes.push_back(gap.cause);
  return causes;
}

// An adapter on the board goes with its power; what it was too late for when the power came is told apart.
TEST_F(ReopeningTest, AnAdapterThatTheBoardPowersIsNoLossButDeafUntilItIsBack) {
  Line first, second;
  std::atomic<bool> there = false;
  const auto console = open(first, "a", [&] { return there ? second.stream() : not_there(); });
  take_away_and_give_power(*console, first);
  const auto on = real_clock().now();
  console->power_came(on);
  EXPECT_THAT(causes_of(console->gaps_since(0)), testing::ElementsAre("powered_off", "lost")) << "it may not come back at all";
  there = true;
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 3; }));
  const auto gaps = console->gaps_since(0);
  EXPECT_THAT(causes_of(gaps), testing::ElementsAre("powered_off", "powered_off", "deaf"));
  EXPECT_EQ(gaps[1].begin, gaps[0].begin);
  EXPECT_EQ(gaps[1].end, on);
  EXPECT_EQ(gaps[2].begin, on);
  EXPECT_TRUE(console->connected_since(gaps[2].end));
  EXPECT_THAT(gaps[2].detail, testing::MatchesRegex("for [0-9]+ ms of power: opened again"));
}

// Between the command and its acknowledgement it is not known yet whether the power went.
TEST_F(ReopeningTest, AHangUpWhileThePowerIsSwitchedOffIsThePowers) {
  Line line;
  const auto console = open(line, "a", not_there);
  console->power_going(real_clock().now());
  line.device.reset();
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 1; }));
  console->power_changed(false);
  EXPECT_THAT(causes_of(console->gaps_since(0)), testing::ElementsAre("powered_off"));
}

TEST_F(ReopeningTest, AHangUpBeforeTheTimeOfTheSwitchIsALoss) {
  Line line;
  const auto console = open(line, "a", not_there);
  console->power_going(real_clock().now() + 600s);
  line.device.reset();
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 1; }));
  console->power_changed(false);
  EXPECT_THAT(causes_of(console->gaps_since(0)), testing::ElementsAre("lost"));
}

TEST_F(ReopeningTest, AHangUpIsALossIfThePowerDidNotGo) {
  Line first, second;
  std::atomic<bool> there = false;
  const auto console = open(first, "a", [&] { return there ? second.stream() : not_there(); });
  console->power_going(real_clock().now());
  first.device.reset();
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 1; }));
  console->power_going(std::nullopt);
  there = true;
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 3; }));
  EXPECT_THAT(causes_of(console->gaps_since(0)), testing::ElementsAre("powered_off", "lost", "lost"));
}

TEST_F(ReopeningTest, ABootThatWasCutBeforeItsAdapterCameWasNotHeard) {
  Line first, second;
  std::atomic<bool> there = false;
  const auto console = open(first, "a", [&] { return there ? second.stream() : not_there(); });
  take_away_and_give_power(*console, first);
  console->power_changed(false);
  EXPECT_THAT(causes_of(console->gaps_since(0)), testing::ElementsAre("powered_off", "powered_off", "deaf"));
  console->power_changed(true);
  there = true;
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 5; }));
  const auto gaps = console->gaps_since(0);
  EXPECT_THAT(causes_of({gaps.begin() + 3, gaps.end()}), testing::ElementsAre("powered_off", "deaf"));
  EXPECT_EQ(gaps[3].begin, gaps[2].end);
}

TEST_F(ReopeningTest, AnAdapterThatNeverCameBackIsALossAtTheEnd) {
  Line line;
  const auto console = open(line, "a", not_there);
  console->power_changed(false);
  line.device.reset();
  ASSERT_TRUE(soon([&] { return console->gaps_since(0).size() == 1; }));
  console->power_changed(true);
  console->close();
  EXPECT_EQ(sink_.events("console.gap").back().data.at("cause"), "lost");
}

// Its line or its break take as long as they take; or it fails in its own way.
class SlowBreak final : public ByteStream {
 public:
  explicit SlowBreak(std::unique_ptr<ByteStream> inner) : inner_(std::move(inner)) {}
  std::function<void()> on_line = [] { wait_until(Deadline::in(2s)); }, on_check = [] {};
  const std::string& name() const override { return inner_->name(); }
  int fd() const override { return inner_->fd(); }
  std::size_t read_some(std::span<std::byte> into) override { return inner_->read_some(into); }
  std::size_t write_some(std::span<const std::byte> bytes) override { return inner_->write_some(bytes); }
  void check_present() override { on_check(); }
  void set_line(ModemLine, bool) override { on_line(); }
  void send_break(std::chrono::milliseconds length) override { wait_until(Deadline::in(length)); }
  std::optional<LineCounters> line_counters() override { return std::nullopt; }

 private:
  std::unique_ptr<ByteStream> inner_;
};

class SlowLineTest : public ReopeningTest {
 protected:
  // While `action` holds the line of one console, another one hears.
  void delays_no_other(const std::function<void(Console&)>& action) {
    Line line, sound;
    ConsoleOptions options;
    options.source = "a";
    options.lines.dtr = PowerLines::Levels{.on = true, .off = false};
    const auto slow = Console::open(std::make_unique<SlowBreak>(line.stream()), options, *loop_, sink_);
    const auto other = open(sound, "b", nullptr);
    std::thread holder([&] { action(*slow); });
    line.says("meanwhile");
    // Until the I/O thread has come to both, more than once.
    for (std::uint64_t i = 1; i <= 5; ++i) {
      const auto begin = real_clock().now();
      sound.says("word\n");
      EXPECT_TRUE(soon([&] { return other->offset() == 5 * i; }));
      EXPECT_LT(real_clock().now() - begin, 1s);
      wait_until(Deadline::in(60ms));
    }
    holder.join();
    EXPECT_TRUE(soon([&] { return slow->offset() == 9; }));
  }
};

TEST_F(SlowLineTest, ABreakDelaysNoOtherConsole) {
  delays_no_other([](Console& console) { console.send_break(2s); });
}

TEST_F(SlowLineTest, ALineThatMovesWithThePowerDelaysNoOtherConsole) {
  delays_no_other([](Console& console) { console.power_changed(false); });
}

// A terminal server that is waited for when the run is to stop: on the thread that opens it again nobody catches that.
TEST_F(ReopeningTest, AnInterruptWhileItsLinesAreHeldEndsNoThread) {
  Line first;
  std::array<Line, 2> again;
  std::atomic<std::size_t> tries = 0;
  ConsoleOptions options;
  options.source = "a";
  options.lines.dtr = PowerLines::Levels{.on = true, .off = false};
  options.reopen = [&]() -> std::unique_ptr<ByteStream> {
    const auto number = tries.load();
    if (number == again.size()) return not_there();
    auto stream = std::make_unique<SlowBreak>(again.at(number).stream());
    stream->on_line = [number] {
      if (number == 0) throw Interrupted();
    };
    ++tries;
    return stream;
  };
  const auto console = Console::open(first.stream(), options, *loop_, sink_);
  first.device.reset();
  EXPECT_TRUE(soon([&] { return console->gaps_since(0).size() == 2; })) << "with its lines as they should be";
  EXPECT_EQ(tries, 2u);
  again.at(1).says("word");
  EXPECT_TRUE(soon([&] { return console->offset() == 4; }));
  console->close();
}

TEST_F(ReopeningTest, WhateverAStreamThrowsIsALossAndEndsNoThread) {
  Line line;
  ConsoleOptions options;
  options.source = "a";
  auto stream = std::make_unique<SlowBreak>(line.stream());
  stream->on_check = [] { throw std::runtime_error("no idea"); };
  const auto console = Console::open(std::move(stream), options, *loop_, sink_);
  ASSERT_TRUE(soon([&] { return !sink_.events("console.gap").empty(); }));
  EXPECT_EQ(sink_.events("console.gap").front().data.at("cause"), "lost");
  EXPECT_EQ(sink_.events("console.gap").front().data.at("detail"), "no idea");
}

}  // namespace
}  // namespace hilcop
