// SPDX-License-Identifier: Apache-2.0
#include "io/command_stream.h"

#include <poll.h>

#include <array>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

std::string read_until(ByteStream& stream, const std::string& end) {
  std::string text;
  std::array<std::byte, 4096> buffer;
  const Deadline deadline = Deadline::in(5s);
  while (text.find(end) == std::string::npos && wait_ready(stream.fd(), POLLIN, deadline)) {
    const auto n = stream.read_some(buffer);
    text.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
  return text;
}

Error end_of(ByteStream& stream) {
  return error_of([&] {
    std::array<std::byte, 256> buffer;
    for (const Deadline deadline = Deadline::in(5s); !deadline.expired();) {
      if (stream.read_some(buffer) > 0) continue;
      stream.check_present();
      wait_ready(stream.fd(), POLLIN, deadline.at_most(20ms));
    }
  });
}

CommandOptions in_shell(const std::string& script, bool terminal = true) {
  CommandOptions options;
  options.program = "sh";
  options.arguments = {"-c", script};
  options.terminal = terminal;
  return options;
}

class CommandStreamTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(TerminalOrSocket, CommandStreamTest, testing::Bool());

TEST_P(CommandStreamTest, TalksBothWaysWithoutEchoAndWithoutOtherLineEnds) {
  const auto stream = open_command_stream(in_shell("printf 'ready\\n'; exec cat", GetParam()));
  EXPECT_EQ(read_until(*stream, "\n"), "ready\n");
  const std::string text = "typed\r\x03\x04\xff\n";
  EXPECT_EQ(stream->write_some(std::as_bytes(std::span(text))), text.size());
  EXPECT_EQ(read_until(*stream, "\n"), text);
}

TEST_P(CommandStreamTest, ItsEndIsDisconnectedWithItsStatusAndItsLastWords) {
  const auto stream = open_command_stream(in_shell("printf out; echo first >&2; echo 'no route to the board' >&2; exit 7", GetParam()));
  EXPECT_EQ(read_until(*stream, "out"), "out");
  const auto error = end_of(*stream);
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
  EXPECT_THAT(error.what(), HasSubstr("exit status 7, and said: no route to the board"));
}

// Who keeps the terminal open beyond the end of the program does not make the console look alive.
TEST_P(CommandStreamTest, ItsEndIsSeenThoughAnotherHoldsItsOutput) {
  const auto stream = open_command_stream(in_shell("setsid sleep 2 & exit 3", GetParam()));
  EXPECT_THAT(end_of(*stream).what(), HasSubstr("exit status 3"));
}

// The I/O thread reads it, which no interrupt is meant for: one that got out would end the process.
TEST_P(CommandStreamTest, ItsEndIsDisconnectedAlsoWhileAnInterruptIsAskedFor) {
  const auto stream = open_command_stream(in_shell("exec 0<&- 1>&- 2>&-; exec sleep 600", GetParam()));
  ASSERT_TRUE(wait_ready(stream->fd(), POLLIN, Deadline::in(5s)));
  request_interrupt();
  std::array<std::byte, 16> buffer;
  EXPECT_THROW(stream->read_some(buffer), Error);
  clear_interrupt();
  const auto error = error_of([&] { stream->read_some(buffer); });
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
  EXPECT_THAT(error.what(), HasSubstr("it closed its output"));
}

// A zombie that nobody has reaped yet does not.
bool lives(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  return !text.empty() && text.at(text.rfind(')') + 2) != 'Z';
}

TEST_P(CommandStreamTest, DiesWithTheStreamAndWithWhatItHasStarted) {
  auto stream = open_command_stream(in_shell("sleep 600 & echo $! $$; exec sleep 600", GetParam()));
  std::istringstream said(read_until(*stream, "\n"));
  std::string background, itself;
  said >> background >> itself;
  ASSERT_TRUE(lives(background) && lives(itself));
  stream.reset();
  const Deadline deadline = Deadline::in(5s);
  while ((lives(background) || lives(itself)) && !deadline.expired()) wait_until(deadline.at_most(2ms));
  EXPECT_FALSE(lives(background) || lives(itself));
}

TEST(CommandStream, ItsTerminalIsItsOwn) {
  // What asks for a password asks /dev/tty.
  const auto stream = open_command_stream(in_shell("echo asked >/dev/tty; cat"));
  EXPECT_EQ(read_until(*stream, "asked\n"), "asked\n");
}

TEST(CommandStream, SecretsAreInItsEnvironmentAlone) {
  auto options = in_shell("echo $SECRET; cat /proc/$$/cmdline | tr '\\0' ' '; echo END");
  options.environment["SECRET"] = "hunter2";
  const auto stream = open_command_stream(options);
  const auto text = read_until(*stream, "END\n");
  EXPECT_THAT(text, testing::StartsWith("hunter2\n"));
  EXPECT_EQ(text.find("hunter2", 8), std::string::npos) << text;
  EXPECT_EQ(stream->name().find("hunter2"), std::string::npos);
}

TEST(CommandStream, AMissingProgramIsNotFound) {
  CommandOptions options;
  options.program = "no-such-program-here";
  EXPECT_EQ(error_of([&] { open_command_stream(options); }).kind(), ErrorKind::NotFound);
}

}  // namespace
}  // namespace hilcop
