// SPDX-License-Identifier: Apache-2.0
// The console engine on a serial port: what only a UART and its adapter do.
#include <sys/ioctl.h>

#include <array>
#include <fstream>
#include <iterator>
#include <optional>

#include <gtest/gtest.h>

#include "arrival.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/memory_sink.h"
#include "fakes/pty_port.h"
#include "io/serial_stream.h"

namespace hilcop {
namespace {

class SerialConsoleTest : public testing::TestWithParam<Arrival> {
 protected:
  void SetUp() override {
    options_.source = "board1/main";
    options_.record_dir = dir_.path();
  }
  Console& open() {
    console_ = Console::open(arriving(open_serial_stream(device_->port(), {}), GetParam(), stalls_), options_, *loop_, sink_);
    return *console_;
  }
  std::string recorded() const {
    std::ifstream file(dir_ / "board1-main.raw", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::vector<Gap> wait_gaps(std::size_t count) const {
    const Deadline deadline = Deadline::in(10s);
    while (console_->gaps_since(0).size() < count && !deadline.expired()) wait_until(deadline.at_most(5ms));
    return console_->gaps_since(0);
  }

  TempDir dir_;
  MemorySink sink_;
  std::optional<PtyPort> device_{std::in_place};
  ConsoleOptions options_;
  std::shared_ptr<LineFaultState> stalls_ = stalls_of(GetParam());
  std::unique_ptr<IoLoop> loop_ = IoLoop::start();
  std::unique_ptr<Console> console_;
};

INSTANTIATE_TEST_SUITE_P(AnyArrival, SerialConsoleTest, testing::ValuesIn(kArrivals), name_of_arrival);

Match expect(Console& console, const std::string& regex) {
  const std::array patterns{Pattern::regex(regex)};
  return console.expect(patterns, Deadline::in(10s));
}

TEST_P(SerialConsoleTest, RecordsEveryByteAndTalksBack) {
  auto& console = open();
  std::string all;
  for (int i = 0; i < 4096; ++i) all += static_cast<char>(i * 7);
  device_->says(all + "END");
  expect(console, "END");
  console.flush();
  EXPECT_EQ(recorded(), all + "END");
  console.write("typed", Deadline::in(5s));
  EXPECT_EQ(device_->hears(5), "typed");
}

TEST_P(SerialConsoleTest, AnUnpluggedAdapterIsAGapAndEndsTheWait) {
  auto& console = open();
  device_->says("last words\n");
  expect(console, "last words");
  device_->unplug();
  try {
    expect(console, "more");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
    EXPECT_NE(std::string(error.what()).find("unplugged"), std::string::npos) << error.what();
  }
  EXPECT_EQ(wait_gaps(1).at(0).cause, "lost");
}

TEST_P(SerialConsoleTest, AnUnplugIsSeenWithoutAnyWait) {
  open();
  device_->unplug();
  EXPECT_EQ(wait_gaps(1).at(0).cause, "lost");
}

TEST_P(SerialConsoleTest, ErrorsOfTheLineAreGaps) {
  open();
  device_->errors().overrun = 3;
  device_->errors().frame = 2;
  const auto gaps = wait_gaps(2);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].cause, "overrun");
  EXPECT_EQ(gaps[0].detail, "overrun: 3");
  EXPECT_EQ(gaps[1].cause, "framing");
}

// Nobody has looked at the counters since.
TEST_P(SerialConsoleTest, ALossIsOnRecordBeforeAnybodyJudges) {
  auto& console = open();
  const auto begin = console.mark();
  for (int i = 1; i <= 3; ++i) {
    device_->errors().overrun = i;
    const auto gaps = console.gaps_since(begin);
    ASSERT_EQ(gaps.size(), static_cast<std::size_t>(i));
    EXPECT_EQ(gaps.back().cause, "overrun");
    EXPECT_EQ(gaps.back().detail, "overrun: 1");
  }
  device_->unplug();
  const auto gaps = console.gaps_since(begin);
  ASSERT_EQ(gaps.size(), 4u);
  EXPECT_EQ(gaps.back().cause, "lost");
}

TEST_P(SerialConsoleTest, ALossJustBeforeTheEndIsOnRecord) {
  auto& console = open();
  for (int i = 1; i <= 3; ++i) {
    device_->errors().overrun = i;
    console.flush();
    EXPECT_EQ(sink_.events("console.gap").size(), static_cast<std::size_t>(i));
  }
  device_->errors().frame = 1;
  console.close();
  ASSERT_EQ(sink_.events("console.gap").size(), 4u);
  EXPECT_EQ(sink_.events("console.gap").back().data.at("cause"), "framing");
  std::ifstream log(dir_ / "board1-main.log");
  EXPECT_NE(std::string(std::istreambuf_iterator<char>(log), {}).find("gap: framing"), std::string::npos);
}

TEST_P(SerialConsoleTest, WhatWasCountedBeforeTheLineWentIsOnRecord) {
  auto& console = open();
  console.mark();
  device_->errors().overrun = 2;
  device_->unplug();
  const auto gaps = wait_gaps(2);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].cause, "overrun");
  EXPECT_EQ(gaps[1].cause, "lost");
}

// What was counted while the board was on belongs to the boot that ends, and to no power's edge.
TEST_P(SerialConsoleTest, WhatWasLostBeforeTheSwitchIsNotThePowersDoing) {
  auto& console = open();
  device_->errors().frame = 1;
  console.power_going(real_clock().now());
  device_->errors().brk = 1;
  console.power_changed(false);
  const auto gaps = console.gaps_since(0);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].cause, "framing");
  EXPECT_EQ(gaps[1].cause, "powered_off");
}

TEST_P(SerialConsoleTest, AnAdapterThatCountsNothingSaysSo) {
  device_->counts_nothing();
  open();
  EXPECT_EQ(sink_.events("console.open").at(0).data.at("remark"), "this adapter's driver counts no line errors");
}

// A board without power pulls its line down: a break, and framing errors.
TEST_P(SerialConsoleTest, WhatThePowersEdgeDoesToTheLineIsNoLoss) {
  auto& console = open();
  console.power_changed(false);
  device_->errors().brk = 1;
  device_->errors().frame = 1;
  const auto gaps = wait_gaps(2);
  ASSERT_EQ(gaps.size(), 2u);
  for (const auto& gap : gaps) EXPECT_EQ(gap.cause, "powered_off");
  EXPECT_EQ(gaps[1].detail, "break: 1");
}

// Bytes were lost in the moments before the power went: no edge does that.
TEST_P(SerialConsoleTest, AnOverrunAtThePowersEdgeIsALoss) {
  auto& console = open();
  device_->errors().overrun = 1;
  console.power_changed(false);
  device_->errors().brk = 1;
  const auto gaps = wait_gaps(2);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].cause, "overrun");
  EXPECT_EQ(gaps[1].cause, "powered_off");
}

TEST_P(SerialConsoleTest, LinesAndBreakAreExplicit) {
  auto& console = open();
  EXPECT_NO_THROW(console.set_line(ModemLine::Dtr, false));
  EXPECT_EQ(device_->modem_lines() & TIOCM_DTR, 0);
  EXPECT_NO_THROW(console.send_break(5ms));
}

// A board that is off is fed through its UART's pins unless the adapter's lines are low.
TEST_P(SerialConsoleTest, ItsLinesAreLowWhileTheBoardHasNoPower) {
  options_.lines = {.tx_low_while_off = true, .dtr = PowerLines::Levels{.on = false, .off = true}, .rts = {}};
  auto& console = open();
  const int before = device_->modem_lines();
  console.power_changed(false);
  EXPECT_TRUE(device_->tx_low());
  EXPECT_TRUE(device_->modem_lines() & TIOCM_DTR);
  EXPECT_EQ(device_->modem_lines() & TIOCM_RTS, before & TIOCM_RTS) << "what lab-config does not name is left alone";
  console.power_changed(true);
  EXPECT_FALSE(device_->tx_low());
  EXPECT_FALSE(device_->modem_lines() & TIOCM_DTR);
}

}  // namespace
}  // namespace hilcop
