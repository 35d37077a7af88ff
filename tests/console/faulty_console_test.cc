// SPDX-License-Identifier: Apache-2.0
// The console over a line that drops, doubles, corrupts, stalls and breaks: it may fail to get an answer, it never gets a wrong one.
#include <sys/wait.h>
#include <unistd.h>

#include "console_fixture.h"

namespace hilcop {
namespace {

std::string stream_of(const LineFaults& faults, std::string_view sent) {
  FaultPlan plan(faults, false);
  std::string out;
  while (!sent.empty()) {
    if (plan.until_break() == 0) plan.take_break();
    const auto n = std::min<std::uint64_t>(sent.size(), plan.until_break());
    plan.pass(sent.substr(0, n), out);
    sent.remove_prefix(n);
  }
  return out;
}

class FaultyConsoleTest : public testing::Test {
 protected:
  Console& open(const LineFaults& faults, const TempDir& dir) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socket pair");
    device_.reset(ends[1]);
    line_.reset(ends[0]);
    state_ =
        std::make_shared<LineFaultState>(faults, [this](const LineFault& fault) { faults_ += fault.kind == LineFaultKind::Disconnect; });
    // The line outlives the connection: what was not read is there when it is opened again.
    const auto connect = [this] { return make_faulty_stream(make_socket_stream(UniqueFd(::dup(line_.get())), "line"), state_); };
    ConsoleOptions options;
    options.source = "board1/main";
    options.record_dir = dir.path();
    options.reopen = connect;
    options.watchers = {{"planted", Pattern::regex("PLANTED [0-9]+;"), false}};
    console_ = Console::open(connect(), options, *loop_, sink_);
    return *console_;
  }
  ~FaultyConsoleTest() override {
    console_.reset();
    device_.reset();
  }

  MemorySink sink_;
  UniqueFd device_, line_;
  std::shared_ptr<LineFaultState> state_;
  int faults_ = 0;
  std::unique_ptr<IoLoop> loop_ = IoLoop::start();
  std::unique_ptr<Console> console_;
};

TEST_F(FaultyConsoleTest, RecordsExactlyWhatArrivesOverEveryBreakAndSaysWhereTheyWere) {
  const LineFaults faults{.seed = 11,
                          .drop_every = 500,
                          .duplicate_every = 400,
                          .corrupt_every = 300,
                          .stall_every = 3000,
                          .disconnect_every = 5000,
                          .stall = 2ms};
  TempDir dir;
  auto& console = open(faults, dir);
  std::string sent;
  for (int i = 0; sent.size() < 60'000; ++i) sent += "line " + std::to_string(i) + (i % 50 == 0 ? " PLANTED 17;\n" : "\n");
  std::thread device([&] {
    for (std::string_view rest = sent; !rest.empty();)
      rest.remove_prefix(::write(device_.get(), rest.data(), std::min<std::size_t>(rest.size(), 777)));
  });
  const std::string expected = stream_of(faults, sent);
  const Deadline deadline = Deadline::in(60s);
  while (console.offset() < expected.size() && !deadline.expired()) wait_until(deadline.at_most(5ms));
  device.join();
  EXPECT_EQ(console.bytes({0, console.offset()}), expected);
  EXPECT_GT(faults_, 4);
  // Each break is two records: when it broke, and when the line was there again.
  EXPECT_EQ(console.gaps_since(0).size(), 2u * static_cast<std::size_t>(faults_));
  std::size_t planted = 0;
  for (std::size_t at = 0; (at = expected.find("PLANTED 17;", at)) != std::string::npos; ++at) ++planted;
  EXPECT_GE(console.hits_since(0).size(), planted);
  console.close();
  std::ifstream file(dir / "board1-main.raw", std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), expected);
}

// A shell behind a line that damages both ways: right answers or errors, over many seeds.
TEST_F(FaultyConsoleTest, ACommandsAnswerIsRightOrAnErrorNeverWrong) {
  int right = 0, errors = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    TempDir dir;
    auto& console = open(
        {.seed = seed, .drop_every = 2500, .duplicate_every = 2500, .corrupt_every = 2500, .from_device = true, .to_device = true}, dir);
    const pid_t shell = ::fork();
    if (shell == 0) {
      for (int fd = 0; fd < 3; ++fd) ::dup2(device_.get(), fd);
      ::execl("/bin/sh", "sh", nullptr);
      ::_exit(127);
    }
    device_.reset();
    for (int i = 0; i < 3; ++i) {
      const std::string word = "value-" + std::to_string(seed * 100 + i);
      try {
        const auto result = console.run("echo " + word + "; exit 3", Deadline::in(2s));
        EXPECT_EQ(result.output, word + "\n") << "seed " << seed;
        EXPECT_EQ(result.exit_status, 3) << "seed " << seed;
        ++right;
      } catch (const Error& error) {
        // Disconnected: what was left of a line ended the shell.
        EXPECT_TRUE(error.kind() == ErrorKind::Timeout || error.kind() == ErrorKind::Protocol || error.kind() == ErrorKind::Disconnected)
            << error.what();
        ++errors;
        break;  // the shell may wait for a quote that was lost
      }
    }
    ::kill(shell, SIGKILL);
    ::waitpid(shell, nullptr, 0);
    console_.reset();
  }
  EXPECT_GT(right, 3);
  EXPECT_GT(errors, 0) << "the line was not faulty enough to prove anything";
}

}  // namespace
}  // namespace hilcop
