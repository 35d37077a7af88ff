// SPDX-License-Identifier: Apache-2.0
// Against a command line that has the faults a real one on a bad line has. The real U-Boot: test_uboot_board.py.
#include "flash/uboot_shell.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "console/io_loop.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "io/socket_stream.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Echoes what is typed and carries lines out: `echo` with hush's quotes, `$?`, `false`; notes each command but those.
class FakeUboot {
 public:
  std::atomic<int> lose_each = 0;  // each so many-th character that is typed is lost
  bool hush = true;                // or: no `$?`
  bool mute = false;
  bool echo_only = false;  // a terminal that echoes and does nothing

  /// The so many-th character from now is lost.
  void lose_in(int characters) { lose_ = characters; }
  void start(int fd) {
    fd_ = fd;
    thread_ = std::jthread([this] { run(); });
  }
  void stop() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  std::vector<std::string> commands() {
    const std::scoped_lock lock(mutex_);
    return commands_;
  }

 private:
  void say(const std::string& text) const { [[maybe_unused]] const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void run() {
    std::string line;
    char c = 0;
    for (int typed = 1; ::read(fd_, &c, 1) == 1; ++typed) {
      const bool lost = lose_ > 0 && --lose_ == 0;
      if (mute || lost || (lose_each > 0 && typed % lose_each == 0)) continue;
      if (c == '\x03') {
        line.clear();
        say("<INTERRUPT>\r\n=> ");
      } else if (c == '\r') {
        say("\r\n");
        if (!echo_only) carry_out(line);
        line.clear();
        say("=> ");
      } else {
        line += c;
        say(std::string(1, c));
      }
    }
  }
  void carry_out(const std::string& line) {
    const auto semicolon = line.find("; ");
    const std::string command = line.substr(0, semicolon);
    const int status = command == "false" || command == "fails" ? 1 : 0;
    if (command != "true" && command != "false" && !command.empty()) {
      const std::scoped_lock lock(mutex_);
      commands_.push_back(command);
      say("did " + command + "\r\n");
    }
    if (semicolon == std::string::npos) return;
    auto text = line.substr(line.find("echo ") + 5);
    for (auto at = text.find("\"\""); at != std::string::npos; at = text.find("\"\"")) text.erase(at, 2);
    if (const auto at = text.find("$?"); hush && at != std::string::npos) text.replace(at, 2, std::to_string(status));
    say(text + "\r\n");
  }

  int fd_ = -1;
  std::atomic<int> lose_ = 0;
  std::mutex mutex_;
  std::vector<std::string> commands_;
  std::jthread thread_;
};

class UbootShellTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    device_.reset(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    loop_ = IoLoop::start();
    ConsoleOptions options;
    options.source = "board1/main";
    console_ = Console::open(make_socket_stream(UniqueFd(ends[0]), "test"), options, *loop_, sink_);
    shell_.emplace(*console_, "=> $", "flash part 'x'");
  }
  void TearDown() override {
    console_->close();
    uboot_.stop();
  }
  void reach(Nanoseconds limit = 20s) {
    uboot_.start(device_.get());
    shell_->reach(" ", Deadline::in(limit));
  }
  static Deadline soon() { return Deadline::in(20s); }

  MemorySink sink_;
  UniqueFd device_;
  std::unique_ptr<IoLoop> loop_;
  std::unique_ptr<Console> console_;
  FakeUboot uboot_;
  std::optional<UbootShell> shell_;
};

TEST_F(UbootShellTest, RunsCommandsAndTellsTheirOutput) {
  reach();
  EXPECT_EQ(shell_->run("mmc write 0x44000000 0x800 0x10", soon()), "did mmc write 0x44000000 0x800 0x10\n");
  EXPECT_THAT(uboot_.commands(), ElementsAre("mmc write 0x44000000 0x800 0x10"));
}

TEST_F(UbootShellTest, ACommandThatFailedIsAnErrorWithItsOutput) {
  reach();
  const auto error = error_of([&] { shell_->run("fails", soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("'fails' failed with status 1"));
  EXPECT_THAT(error.what(), HasSubstr("did fails"));
}

// The one that matters: a digit that is lost on the way would be written to another place.
TEST_F(UbootShellTest, ACommandThatArrivedDamagedIsNotCarriedOutButTypedAgain) {
  reach();
  const std::string command = "mmc write 0x44000000 0x800 0x10";
  for (const int at : {1, 24, 40}) {
    uboot_.lose_in(at);
    shell_->run(command, soon());
  }
  for (const auto& done : uboot_.commands()) EXPECT_EQ(done, command);
  EXPECT_EQ(uboot_.commands().size(), 3u);
}

TEST_F(UbootShellTest, ALineOnWhichNoCommandArrivesWholeIsGivenUp) {
  reach();
  uboot_.lose_each = 20;
  const auto error = error_of([&] { shell_->run("mmc write 0x44000000 0x800 0x10", soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("it was not carried out"));
  EXPECT_TRUE(uboot_.commands().empty());
}

TEST_F(UbootShellTest, WithoutExitStatusesNothingIsTrusted) {
  uboot_.hush = false;
  const auto error = error_of([&] { reach(); });
  EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
  EXPECT_THAT(error.what(), HasSubstr("CONFIG_HUSH_PARSER"));
}

TEST_F(UbootShellTest, AMuteBoardEndsAtTheDeadline) {
  uboot_.mute = true;
  EXPECT_EQ(error_of([&] { reach(1s); }).kind(), ErrorKind::Timeout);
}

TEST_F(UbootShellTest, WhatOnlyEchoesIsNoUboot) {
  uboot_.echo_only = true;
  EXPECT_EQ(error_of([&] { reach(2s); }).kind(), ErrorKind::Timeout);
}

TEST_F(UbootShellTest, ACommandThatIsNoLineIsRefused) {
  reach();
  EXPECT_EQ(error_of([&] { shell_->run("a\rb", soon()); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { shell_->run(std::string(300, 'x'), soon()); }).kind(), ErrorKind::Config);
  EXPECT_TRUE(uboot_.commands().empty());
}

}  // namespace
}  // namespace hilcop
