// SPDX-License-Identifier: Apache-2.0
// What every console that a worker opens must do, over the whole driver table. A driver brings a rig (rig.h).
#include <poll.h>

#include <algorithm>
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "contract/rig.h"
#include "fakes/error_of.h"

namespace hilcop {
namespace {

using testing::AnyOf;

// Every byte there is, and what terminals and telnet make something of.
std::string hostile_bytes() {
  std::string bytes = "\r\n\r\r\n\xff\xff\xff\xfa\x2c\xff\xf0\x03\x04\x11\x13\x1a\x1c\x7f\r";
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes + '\r' + '\0' + "\n";
}

class ConsoleContractTest : public testing::TestWithParam<ConsoleRigEntry> {
 protected:
  void SetUp() override {
    rig_ = GetParam().make();
    driver_ = &driver_of(GetParam().driver);
    config_ = full_config(GetParam().driver, rig_->config());
  }
  std::unique_ptr<ByteStream> open(Deadline deadline = soon()) const { return driver_->open_console(config_, deadline); }
  static std::string read(ByteStream& stream, std::size_t bytes, std::size_t at_once = 4096) {
    std::string text;
    std::array<std::byte, 4096> buffer;
    const Deadline deadline = soon();
    while (text.size() < bytes) {
      const auto n = stream.read_some(std::span(buffer).first(std::min(at_once, bytes - text.size())));
      text.append(reinterpret_cast<const char*>(buffer.data()), n);
      if (n == 0 && !wait_ready(stream.fd(), POLLIN, deadline)) break;
    }
    return text;
  }
  static void write(ByteStream& stream, std::string_view text) {
    const Deadline deadline = soon();
    while (!text.empty()) {
      const auto n = stream.write_some(std::as_bytes(std::span(text)));
      text.remove_prefix(n);
      const bool ready = n > 0 || wait_ready(stream.write_fd(), POLLOUT, deadline);
      ASSERT_TRUE(ready) << "takes nothing";
    }
  }
  // The kind of the error by which it says that the other side is gone.
  static std::optional<ErrorKind> gone_by(ByteStream& stream, Deadline deadline) {
    std::array<std::byte, 256> buffer;
    while (!deadline.expired()) {
      try {
        if (stream.read_some(buffer) == 0) {
          stream.check_present();
          wait_ready(stream.fd(), POLLIN, deadline.at_most(20ms));
        }
      } catch (const Error& error) {
        EXPECT_FALSE(error.remedy().empty()) << error.what();
        return error.kind();
      }
    }
    return std::nullopt;
  }
  static Deadline soon() { return Deadline::in(10s); }

  std::unique_ptr<ConsoleRig> rig_;
  const Driver* driver_ = nullptr;
  InstrumentConfig config_;
};

TEST_P(ConsoleContractTest, EveryByteGoesThroughBothWays) {
  const auto stream = open();
  const auto bytes = hostile_bytes();
  rig_->says(bytes);
  EXPECT_EQ(read(*stream, bytes.size()), bytes);
  write(*stream, bytes);
  EXPECT_EQ(rig_->hears(bytes.size()), bytes);
}

TEST_P(ConsoleContractTest, OneByteAtATime) {
  const auto stream = open();
  const auto bytes = hostile_bytes();
  for (const char byte : bytes) rig_->says({&byte, 1});
  EXPECT_EQ(read(*stream, bytes.size(), 1), bytes);
  for (const char byte : bytes) write(*stream, {&byte, 1});
  EXPECT_EQ(rig_->hears(bytes.size()), bytes);
}

TEST_P(ConsoleContractTest, NothingIsLostOfMuch) {
  const auto stream = open();
  std::string all, got;
  for (int i = 0; i < 64; ++i) {
    const std::string block = std::string(500, static_cast<char>('A' + i % 26)) + "\xff\r\n" + std::to_string(i);
    rig_->says(block);
    all += block;
    got += read(*stream, block.size());
  }
  EXPECT_EQ(got, all);
}

TEST_P(ConsoleContractTest, ReadingAndWritingNeverBlock) {
  const auto stream = open();
  std::array<std::byte, 16> buffer;
  const auto begin = real_clock().now();
  EXPECT_EQ(stream->read_some(buffer), 0u);
  const std::string much(8 << 20, 'x');
  std::string_view left = much;
  // Nobody reads at the far end: it must say "no more" rather than wait.
  for (int i = 0; i < 4096 && !left.empty(); ++i) left.remove_prefix(stream->write_some(std::as_bytes(std::span(left))));
  EXPECT_LT(real_clock().now() - begin, 5s);
}

TEST_P(ConsoleContractTest, AGoneFarEndIsDisconnectedAndMayComeBack) {
  auto stream = open();
  const auto name = stream->name();
  EXPECT_FALSE(name.empty());
  rig_->says("last words");
  EXPECT_EQ(read(*stream, 10), "last words");
  rig_->go();
  EXPECT_EQ(gone_by(*stream, soon()), ErrorKind::Disconnected);
  stream.reset();
  rig_->come_back();
  std::unique_ptr<ByteStream> again;
  for (const Deadline deadline = soon(); !again && !deadline.expired();) {
    try {
      again = open();
    } catch (const Error&) {
      wait_until(deadline.at_most(20ms));
    }
  }
  ASSERT_TRUE(again);
  EXPECT_EQ(again->name(), name) << "by its name it must be known again";
  rig_->says("back");
  EXPECT_EQ(read(*again, 4), "back");
}

TEST_P(ConsoleContractTest, WhatIsNotThereIsAnErrorInTime) {
  rig_->go();
  const auto begin = real_clock().now();
  const auto error = error_of([&] {
    const auto stream = open(Deadline::in(500ms));
    // A command's console opens before its program has failed.
    if (const auto kind = gone_by(*stream, soon())) throw Error(*kind, stream->name(), "gone", "none");
  });
  EXPECT_THAT(error.kind(), AnyOf(ErrorKind::NotFound, ErrorKind::Disconnected, ErrorKind::Timeout)) << error.what();
  EXPECT_LT(real_clock().now() - begin, 3s);
}

TEST_P(ConsoleContractTest, ModemLinesAndBreakAreThereOrRefused) {
  const auto stream = open();
  EXPECT_EQ(driver_->holds_lines, rig_->has_modem_lines()) << "by that `while_off:` is refused at check";
  if (!rig_->has_modem_lines()) {
    EXPECT_EQ(error_of([&] { stream->hold_break(true); }).kind(), ErrorKind::Unsupported);
    EXPECT_EQ(error_of([&] { stream->set_line(ModemLine::Dtr, true); }).kind(), ErrorKind::Unsupported);
    EXPECT_EQ(error_of([&] { stream->send_break(10ms); }).kind(), ErrorKind::Unsupported);
    return;
  }
  EXPECT_EQ(rig_->breaks(), 0);
  stream->send_break(10ms);
  for (const Deadline deadline = soon(); rig_->breaks() == 0 && !deadline.expired();) wait_until(deadline.at_most(2ms));
  EXPECT_EQ(rig_->breaks(), 1);
  stream->hold_break(true);
  for (const Deadline deadline = soon(); rig_->breaks() == 1 && !deadline.expired();) wait_until(deadline.at_most(2ms));
  EXPECT_EQ(rig_->breaks(), 2);
  stream->hold_break(false);
  for (const auto line : {ModemLine::Dtr, ModemLine::Rts})
    for (const bool on : {true, false, true}) {
      stream->set_line(line, on);
      const Deadline deadline = soon();
      while (rig_->asserted(line) != on && !deadline.expired()) wait_until(deadline.at_most(2ms));
      EXPECT_EQ(rig_->asserted(line), on);
    }
}

INSTANTIATE_TEST_SUITE_P(Drivers, ConsoleContractTest, testing::ValuesIn(console_rigs()), [](const auto& entry) {
  auto name = entry.param.driver;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ConsoleContractTest);

}  // namespace
}  // namespace hilcop
