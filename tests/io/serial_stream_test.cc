// SPDX-License-Identifier: Apache-2.0
#include "io/serial_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/pty_port.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

std::string text_from(ByteStream& stream, std::size_t bytes) {
  std::string text;
  std::array<std::byte, 4096> buffer;
  const Deadline deadline = Deadline::in(5s);
  while (text.size() < bytes && wait_ready(stream.fd(), POLLIN, deadline)) {
    const auto n = stream.read_some(buffer);
    text.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
  return text;
}

std::string each_byte() {
  std::string text;
  for (int value = 0; value < 256; ++value) text += static_cast<char>(value);
  return text;
}

class SerialStreamTest : public testing::Test {
 protected:
  std::unique_ptr<ByteStream> open(const SerialSettings& settings = {}) { return open_serial_stream(device_.port(), settings); }
  PtyPort device_;
};

TEST_F(SerialStreamTest, EveryByteGoesBothWaysUnchanged) {
  const auto stream = open();
  device_.says(each_byte());
  EXPECT_EQ(text_from(*stream, 256), each_byte());
  const auto bytes = each_byte();
  std::string_view left = bytes;
  while (!left.empty()) left.remove_prefix(stream->write_some(std::as_bytes(std::span(left))));
  EXPECT_EQ(device_.hears(256), each_byte());
}

TEST_F(SerialStreamTest, AnEmptyLineReadsAsNothingAndIsPresent) {
  const auto stream = open();
  std::array<std::byte, 16> buffer;
  EXPECT_EQ(stream->read_some(buffer), 0u);
  EXPECT_NO_THROW(stream->check_present());
}

TEST_F(SerialStreamTest, UnplugIsSeenByReadingWritingAndLooking) {
  const auto stream = open();
  device_.unplug();
  std::array<std::byte, 16> buffer{};
  for (const auto& action : std::initializer_list<std::function<void()>>{
           [&] { stream->read_some(buffer); }, [&] { stream->write_some(buffer); }, [&] { stream->check_present(); }}) {
    const auto error = error_of(action);
    EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
    EXPECT_THAT(error.what(), HasSubstr(device_.port()));
    EXPECT_THAT(error.what(), HasSubstr("plug it in again"));
  }
}

// A kernel pseudo-terminal drops what was not read when its other side closes; what a read has got stays got.
TEST_F(SerialStreamTest, AnUnplugAfterTheLastWordsLosesNoneOfThem) {
  const auto stream = open();
  device_.says("last words");
  EXPECT_EQ(text_from(*stream, 10), "last words");
  device_.unplug();
  std::array<std::byte, 16> buffer{};
  EXPECT_EQ(error_of([&] { stream->read_some(buffer); }).kind(), ErrorKind::Disconnected);
}

TEST_F(SerialStreamTest, LinesStandAsAskedAndStayWhenItCloses) {
  SerialSettings settings;
  settings.dtr = false;
  settings.rts = true;
  {
    const auto stream = open(settings);
    EXPECT_EQ(device_.modem_lines() & (TIOCM_DTR | TIOCM_RTS), TIOCM_RTS);
    stream->set_line(ModemLine::Dtr, true);
    stream->set_line(ModemLine::Rts, false);
    EXPECT_EQ(device_.modem_lines() & (TIOCM_DTR | TIOCM_RTS), TIOCM_DTR);
    termios terminal{};
    ASSERT_EQ(::tcgetattr(stream->fd(), &terminal), 0);
    EXPECT_EQ(terminal.c_cflag & HUPCL, 0u);
    EXPECT_EQ(terminal.c_lflag & (ECHO | ICANON | ISIG), 0u);
  }
  EXPECT_EQ(device_.modem_lines() & (TIOCM_DTR | TIOCM_RTS), TIOCM_DTR);
}

TEST_F(SerialStreamTest, SettingsReachTheLine) {
  SerialSettings settings;
  settings.baud = 9600;
  settings.stop_bits = 2;
  settings.flow = FlowControl::XonXoff;
  const auto stream = open(settings);
  termios terminal{};
  ASSERT_EQ(::tcgetattr(stream->fd(), &terminal), 0);
  EXPECT_EQ(::cfgetospeed(&terminal), static_cast<speed_t>(B9600));
  EXPECT_NE(terminal.c_cflag & CSTOPB, 0u);
  EXPECT_NE(terminal.c_iflag & IXON, 0u);
}

TEST_F(SerialStreamTest, IsClosedInChildrenAndForThisProcessAlone) {
  const auto stream = open();
  EXPECT_NE(::fcntl(stream->fd(), F_GETFD) & FD_CLOEXEC, 0);
  const auto error = error_of([&] { open(); });
  EXPECT_EQ(error.kind(), ErrorKind::Busy);
}

TEST_F(SerialStreamTest, IsFreeAgainOnceClosed) {
  open();
  EXPECT_NO_THROW(open());
}

// Another program that takes no lock at all, as `cat /dev/ttyUSB0` does.
TEST_F(SerialStreamTest, RefusesAPortThatAnotherProgramReadsAndNamesIt) {
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    const int fd = ::open(device_.terminal().c_str(), O_RDWR | O_NOCTTY);
    ::alarm(30);
    [[maybe_unused]] const auto told = ::write(ready[1], &fd, 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto error = error_of([&] { open(); });
  EXPECT_EQ(error.kind(), ErrorKind::Busy);
  EXPECT_THAT(error.what(), HasSubstr("(pid " + std::to_string(other) + ")"));
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  EXPECT_NO_THROW(open());
}

TEST_F(SerialStreamTest, AMissingPortIsNotFoundWithARemedy) {
  const auto error = error_of([&] { open_serial_stream("/dev/ttyNOSUCH7", {}); });
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_THAT(error.what(), HasSubstr("serial port /dev/ttyNOSUCH7"));
  EXPECT_THAT(error.what(), HasSubstr("check the path, the cable"));
}

TEST_F(SerialStreamTest, WhatIsNoSerialPortIsRefused) {
  TempDir dir;
  { UniqueFd made(::open((dir / "file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)); }
  EXPECT_EQ(error_of([&] { open_serial_stream((dir / "file").string(), {}); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { open_serial_stream("/dev/null", {}); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { open_serial_stream(device_.terminal(), {}); }).kind(), ErrorKind::Unsupported);
}

// As another user where the test is root: root may open anything.
TEST_F(SerialStreamTest, WithoutPermissionItSaysWhereAccessIsGiven) {
  ASSERT_EQ(::chmod(device_.terminal().c_str(), 0), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(2);
    try {
      open_serial_stream(device_.terminal(), {});
    } catch (const Error& error) {
      const std::string text = error.what();
      ::_exit(error.kind() == ErrorKind::PermissionDenied && text.find("Access") != std::string::npos ? 0 : 3);
    }
    ::_exit(4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

TEST_F(SerialStreamTest, CountsErrorsOfTheLineSinceItWasOpened) {
  device_.errors().overrun = 5;
  device_.errors().frame = -1;  // the counter is about to wrap
  const auto stream = open();
  EXPECT_EQ(stream->line_counters(), LineCounters{});
  device_.errors().overrun = 7;
  device_.errors().frame = 1;
  device_.errors().brk = 1;
  EXPECT_EQ(stream->line_counters(), (LineCounters{.overrun = 2, .framing = 2, .breaks = 1}));
}

TEST_F(SerialStreamTest, ABreakEndsByItselfOrByAnInterrupt) {
  const auto stream = open();
  EXPECT_NO_THROW(stream->send_break(10ms));
  request_interrupt();
  EXPECT_THROW(stream->send_break(60s), Interrupted);
  clear_interrupt();
}

}  // namespace
}  // namespace hilcop
