// SPDX-License-Identifier: Apache-2.0
// run() against a real POSIX shell, and with kernel text that cuts in at every position.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "console/cksum.h"
#include "console/text.h"
#include "console_fixture.h"

namespace hilcop {
namespace {

class ShellTest : public ConsoleTest {
 protected:
  void TearDown() override {
    console_.reset();
    device_.reset();
    if (shell_ > 0) ::waitpid(shell_, nullptr, 0);
  }

  // The device is /bin/sh itself, reading from the line and writing to it.
  void start_shell() {
    shell_ = ::fork();
    if (shell_ == 0) {
      for (int fd = 0; fd < 3; ++fd) ::dup2(device_.get(), fd);
      ::execl("/bin/sh", "sh", nullptr);
      ::_exit(127);
    }
    device_.reset();
  }

  // Everything the shell prints passes through here, damaged by `damage`.
  void start_shell_behind(const std::function<std::string(std::string)>& damage) {
    int inner[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, inner), 0);
    const UniqueFd line = std::move(device_);
    device_.reset(inner[1]);
    UniqueFd shell_side(inner[0]);
    start_shell();
    relay_ = std::jthread([line = UniqueFd(::dup(line.get())), shell_side = std::move(shell_side), damage] {
      std::array<char, 4096> buffer;
      std::jthread down([&] {
        std::array<char, 4096> out;
        for (ssize_t n = 0; (n = ::recv(shell_side.get(), out.data(), out.size(), 0)) > 0;) {
          const std::string text = damage(std::string(out.data(), static_cast<std::size_t>(n)));
          if (::send(line.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) break;
        }
      });
      for (ssize_t n = 0; (n = ::recv(line.get(), buffer.data(), buffer.size(), 0)) > 0;)
        if (::send(shell_side.get(), buffer.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL) < 0) break;
      ::shutdown(shell_side.get(), SHUT_RDWR);
    });
  }

  pid_t shell_ = -1;
  std::jthread relay_;
};

INSTANTIATE_TEST_SUITE_P(AnyArrival, ShellTest, testing::ValuesIn(kArrivals), name_of_arrival);

TEST_P(ShellTest, ReturnsOutputAndStatus) {
  auto& console = open();
  start_shell();
  auto result = console.run("echo one; echo two >&2; exit 7", Deadline::in(10s));
  EXPECT_EQ(result.output, "one\ntwo\n");
  EXPECT_EQ(result.exit_status, 7);
  result = console.run("printf 'no line end'", Deadline::in(10s));
  EXPECT_EQ(result.output, "no line end");
  EXPECT_EQ(result.exit_status, 0);
}

TEST_P(ShellTest, QuotesLinesAndLengthDoNotMatter) {
  auto& console = open();
  start_shell();
  const std::string awkward =
      "printf '%s|' \"it's\" 'a \"b\"' \\$HOME '$(no)' '<he 1>'\nfor i in 1 2; do\n  echo $i # " + std::string(1500, 'c') + "\ndone";
  EXPECT_EQ(console.run(awkward, Deadline::in(20s)).output, "it's|a \"b\"|$HOME|$(no)|<he 1>|1\n2\n");
}

TEST_P(ShellTest, ACommandThatReadsItsInputDoesNotEatTheNext) {
  auto& console = open();
  start_shell();
  EXPECT_EQ(console.run("cat", Deadline::in(10s)).output, "");
  EXPECT_EQ(console.run("echo still here", Deadline::in(10s)).output, "still here\n");
}

TEST_P(ShellTest, ACommandThatDoesNotEndIsATimeoutThatNamesIt) {
  auto& console = open();
  start_shell();
  const auto error = error_of([&] { console.run("sleep 3", Deadline::in(300ms)); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_NE(error.cause().find("sleep 3"), std::string::npos);
}

TEST_P(ShellTest, AStaleAnswerIsNotTakenForTheNext) {
  auto& console = open();
  start_shell();
  error_of([&] { console.run("sleep 1; echo stale", Deadline::in(100ms)); });
  EXPECT_EQ(console.run("echo fresh", Deadline::in(20s)).output, "fresh\n");
}

TEST_P(ShellTest, KernelTextMayCutInAnywhere) {
  if (slow() || GetParam().stall_every != 0) return;  // chunking is judged above; here positions are
  const std::string kernel = "[   12.345678] random: crng init done\r\n";
  auto position = std::make_shared<std::atomic<std::size_t>>(0);
  auto& console = open();
  start_shell_behind([=](std::string text) {
    return text.substr(0, *position % (text.size() + 1)) + kernel + text.substr(*position % (text.size() + 1));
  });
  int cuts = 0;
  for (std::size_t at = 0; at < 120; ++at) {
    *position = at;
    const auto result = console.run("echo the answer; false", Deadline::in(20s));
    ASSERT_EQ(result.output, "the answer\n") << at;
    ASSERT_EQ(result.exit_status, 1);
    cuts += result.kernel.find("crng init done") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(cuts, 10) << "the text hardly ever cut into the answer: this proved nothing";
}

TEST_P(ShellTest, ADamagedAnswerIsAskedForAgain) {
  if (slow() || GetParam().stall_every != 0) return;
  auto left = std::make_shared<std::atomic<int>>(2);
  auto& console = open();
  start_shell_behind([=](std::string text) {
    if (const auto at = text.find("answer"); at != std::string::npos && (*left)-- > 0) text[at] = '#';
    return text;
  });
  EXPECT_EQ(console.run("echo the answer", Deadline::in(20s)).output, "the answer\n");
}

TEST_P(ShellTest, OutputThatLooksLikeKernelTextIsKept) {
  auto& console = open();
  start_shell();
  EXPECT_EQ(console.run("echo '[    1.000000] Linux version'", Deadline::in(10s)).output, "[    1.000000] Linux version\n");
}

TEST(Cksum, IsThatOfPosix) {
  EXPECT_EQ(posix_cksum(""), "4294967295:0");
  EXPECT_EQ(posix_cksum("hello\n"), "3015617425:6");
}

TEST(Cksum, OrThatOfSha256sum) { EXPECT_EQ(sha256sum_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855::-"); }

TEST(KernelText, IsTakenOutWhereverItStands) {
  std::string kernel;
  EXPECT_EQ(without_kernel_lines("hel[    1.234567] a [x] b\r\nlo [1.2] w", &kernel), "hello [1.2] w");
  EXPECT_EQ(kernel, "[    1.234567] a [x] b\n");
}

// Of all damage the worst: a failure that looks like a success.
TEST_P(ShellTest, ADamagedStatusIsNoStatus) {
  auto& console = open();
  auto damaged = std::make_shared<std::atomic<bool>>(false);
  start_shell_behind([damaged](std::string text) {
    // The first answer's status "10" loses its first digit on the way.
    const auto at = text.find("<hb ");
    const auto status = at == std::string::npos ? at : text.find(" 10 ", at);
    if (status != std::string::npos && !damaged->exchange(true)) text.erase(status + 1, 1);
    return text;
  });
  EXPECT_EQ(console.run("exit 10", Deadline::in(20s)).exit_status, 10);
  EXPECT_TRUE(*damaged);
}

}  // namespace
}  // namespace hilcop
