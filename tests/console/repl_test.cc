// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <map>
#include <mutex>

#include "console_fixture.h"

namespace hilcop {
namespace {

// An interpreter at the other end of the line: echoes, joins print('a' 'b'), looks the rest up.
class FakeRepl {
 public:
  explicit FakeRepl(int fd) : fd_(fd), thread_([this] { serve(); }) {}
  ~FakeRepl() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
  }
  void replies(const std::string& line, const std::string& text) {
    const std::scoped_lock lock(mutex_);
    replies_[line] = text;
  }
  std::vector<std::string> carried_out() {
    const std::scoped_lock lock(mutex_);
    return carried_out_;
  }
  std::atomic<int> swallow{-1};   // the byte of that number is lost, once
  std::atomic<bool> deaf{false};  // every 10th byte is lost
  std::atomic<bool> loop{false};  // no interpreter: whatever comes is sent back

 private:
  void say(const std::string& text) { [[maybe_unused]] const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void serve() {
    char c = 0;
    int count = 0;
    std::string line;
    while (::recv(fd_, &c, 1, 0) == 1) {
      ++count;
      if (loop) {
        say({c});
        continue;
      }
      if (swallow > 0 && --swallow == 0) continue;
      if (deaf && count % 10 == 0) continue;
      if (c == '\x03') {
        line.clear();
        say("\r\n>>> ");
      } else if (c == '\r') {
        say("\r\n" + run(std::exchange(line, {})) + ">>> ");
      } else {
        line += c;
        say({c});
      }
    }
  }
  std::string run(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    const auto middle = line.find("' '");
    if (line.starts_with("print('") && middle != std::string::npos)
      return line.substr(7, middle - 7) + line.substr(middle + 3, line.size() - middle - 5) + "\r\n";
    carried_out_.push_back(line);
    return replies_.contains(line) ? replies_[line] : "";
  }

  int fd_;
  std::mutex mutex_;
  std::map<std::string, std::string> replies_;
  std::vector<std::string> carried_out_;
  std::thread thread_;
};

class ReplTest : public ConsoleTest {
 protected:
  ReplTest() {
    options_.shell.reset();
    options_.repl = ReplFraming{">>> $", "print('{left}' '{right}')", "\x03"};
    options_.line_end = "\r";
    options_.board_file = "boards/b.yaml";
  }
  void SetUp() override {
    ConsoleTest::SetUp();
    repl_ = std::make_unique<FakeRepl>(device_.get());
  }
  static Deadline soon() { return Deadline::in(20s); }

  std::unique_ptr<FakeRepl> repl_;
};

TEST_P(ReplTest, AReplyIsWhatStandsBetweenEchoAndPrompt) {
  open().login(soon());
  repl_->replies("read()", "12\r\n");
  repl_->replies("two()", "a\r\nb\r\n");
  EXPECT_EQ(console_->ask("read()", soon()).output, "12\n");
  EXPECT_EQ(console_->ask("two()", soon()).output, "a\nb\n");
  EXPECT_EQ(console_->ask("nothing()", soon()).output, "");
  const auto reply = console_->ask("read()", soon());
  EXPECT_NE(console_->bytes(reply.span).find("read()\r\n12\r\n"), std::string::npos);
}

TEST_P(ReplTest, WhatLooksLikeTheCommandOrThePromptInTheReplyStaysInIt) {
  open().login(soon());
  repl_->replies("help()", "help() prints >>> and this\r\n");
  EXPECT_EQ(console_->ask("help()", soon()).output, "help() prints >>> and this\n");
}

TEST_P(ReplTest, ALineOfTheReplyThatEndsAsThePromptDoesEndsNothing) {
  open().login(soon());
  repl_->replies("help()", "type after\r\n>>> \r\nand then Enter\r\n");
  EXPECT_EQ(console_->ask("help()", soon()).output, "type after\n>>> \nand then Enter\n");
}

TEST_P(ReplTest, ALineThatLostAByteIsNeverCarriedOutAndTypedAgain) {
  open().login(soon());
  repl_->replies("erase(120)", "done\r\n");
  repl_->swallow = 8;  // erase(10) would be another command
  EXPECT_EQ(console_->ask("erase(120)", soon()).output, "done\n");
  EXPECT_EQ(repl_->carried_out(), std::vector<std::string>{"erase(120)"});
}

TEST_P(ReplTest, ALineThatAlwaysComesDamagedIsAnErrorAndNotCarriedOut) {
  open().login(soon());
  repl_->deaf = true;
  const auto why = error_of([&] { console_->ask("a_rather_long_line()", Deadline::in(5s)); });
  EXPECT_TRUE(why.kind() == ErrorKind::Protocol || why.kind() == ErrorKind::Timeout) << why.what();
  EXPECT_TRUE(repl_->carried_out().empty());
}

TEST_P(ReplTest, WithoutAnInterruptAHalfTypedLineIsLeftAndSaid) {
  options_.repl->interrupt.clear();
  open().login(soon());
  repl_->swallow = 3;
  const auto why = error_of([&] { console_->ask("read()", soon()); });
  EXPECT_EQ(why.kind(), ErrorKind::Protocol);
  EXPECT_NE(std::string(why.what()).find("`interrupt:`"), std::string::npos) << why.what();
  EXPECT_EQ(repl_->carried_out().size(), 1u) << "login's own empty line alone";
}

TEST_P(ReplTest, AnEchoIsNeverTakenForAReply) {
  open().login(soon());
  repl_->loop = true;
  for (const char* line : {"read()", "print('>>> ')", ">>> "})
    EXPECT_EQ(error_of([&] { console_->ask(line, Deadline::in(1s)); }).kind(), ErrorKind::Timeout) << line;
  EXPECT_EQ(error_of([&] { console_->login(Deadline::in(1s)); }).kind(), ErrorKind::Timeout);
}

TEST_P(ReplTest, WhatIsNoLineIsRefused) {
  open().login(soon());
  for (const char* line : {"", "a\nb", "a\r", "\x03", "\x7f"})
    EXPECT_EQ(error_of([&] { console_->ask(line, soon()); }).kind(), ErrorKind::Config);
}

TEST_P(ReplTest, WithoutAShellRunSaysWhatToDoAndNothingIsTyped) {
  open();
  const auto why = error_of([&] { console_->run("true", soon()); });
  EXPECT_EQ(why.kind(), ErrorKind::Unsupported);
  EXPECT_NE(std::string(why.what()).find("boards/b.yaml"), std::string::npos) << why.what();
  EXPECT_TRUE(sink_.events("console.sent").empty());
}

TEST_P(ReplTest, WithoutAnyInterpreterEverythingSaysSoAtOnce) {
  options_.repl.reset();
  open();
  EXPECT_EQ(error_of([&] { console_->login(soon()); }).kind(), ErrorKind::Unsupported);
  EXPECT_EQ(error_of([&] { console_->run("true", soon()); }).kind(), ErrorKind::Unsupported);
  EXPECT_EQ(error_of([&] { console_->ask("read()", soon()); }).kind(), ErrorKind::Unsupported);
  EXPECT_TRUE(sink_.events("console.sent").empty());
  console_->write_line("1", soon());
  expect("1");
}

INSTANTIATE_TEST_SUITE_P(AnyArrival, ReplTest, testing::ValuesIn(kArrivals), name_of_arrival);

}  // namespace
}  // namespace hilcop
