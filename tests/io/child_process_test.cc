// SPDX-License-Identifier: Apache-2.0
#include "io/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

ProcessOptions shell(const std::string& script) {
  ProcessOptions options;
  options.program = "/bin/sh";
  options.arguments = {"-c", script};
  options.capture_output = true;
  return options;
}

bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }

// A process that was killed may be a zombie of init for a moment.
bool gone_soon(pid_t pid) {
  const Deadline deadline = Deadline::in(5s);
  while (!deadline.expired()) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name, state;
    if (!(stat >> number >> name >> state) || state == "Z") return true;
    wait_until(deadline.at_most(5ms));
  }
  return false;
}

TEST(ChildProcess, ReportsStatusAndOutput) {
  const auto result = run_process(shell("echo out; echo err >&2; exit 3"), Deadline::in(10s));
  EXPECT_EQ(result.status.code, 3);
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_EQ(result.status.text(), "exit status 3");
}

// Of the process, with what it holds in files of memory.
std::size_t memory_held() {
  std::size_t pages = 0, kib = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  kib = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    struct stat info {};
    std::error_code none;
    if (std::filesystem::read_symlink(entry.path(), none).string().starts_with("/memfd:") && ::stat(entry.path().c_str(), &info) == 0)
      kib += static_cast<std::size_t>(info.st_blocks) / 2;
  }
  return kib;
}

TEST(ChildProcess, OutputWithoutEndKeepsItsLastWordsAndNoMemory) {
  run_process(shell("head -c 2M /dev/zero"), Deadline::in(60s));  // what the first one needs at all
  const auto before = memory_held();
  auto child = ChildProcess::start(shell("head -c 200M /dev/zero; echo the end"));
  ASSERT_TRUE(child->wait(Deadline::in(60s)));
  const auto output = child->output();
  EXPECT_LT(memory_held(), before + 16 * 1024) << "KiB";  // of 200 MiB; a sanitizer has its own use of memory
  EXPECT_EQ(output.size(), 64u * 1024);
  EXPECT_EQ(output.substr(output.size() - 9), std::string("\0the end\n", 9));
}

TEST(ChildProcess, NeverWaitsForWhoeverReads) {
  const auto child = ChildProcess::start(shell("head -c 3M /dev/zero; echo the end"));
  EXPECT_TRUE(wait_ready(child->pidfd(), POLLIN, Deadline::in(60s)));
  EXPECT_TRUE(child->output().ends_with("the end\n"));
}

TEST(ChildProcess, ItsLastWordsAreThereAtItsEndThoughAnotherHoldsItsOutput) {
  for (int i = 0; i < 50; ++i) {
    auto options = shell("setsid sleep 20 & head -c 60000 /dev/zero; echo $!");
    const auto child = ChildProcess::start(options);
    ASSERT_TRUE(child->wait(Deadline::in(20s)));
    const auto output = child->output();
    ASSERT_GT(output.size(), 60'000u);
    ::kill(static_cast<pid_t>(std::stol(output.substr(60'000))), SIGKILL);
  }
}

TEST(ChildProcess, TellsASignalFromAnExitStatus) {
  const auto result = run_process(shell("kill -TERM $$"), Deadline::in(10s));
  EXPECT_FALSE(result.status.code);
  EXPECT_EQ(result.status.signal, SIGTERM);
  EXPECT_EQ(result.status.text(), "killed by SIGTERM");
}

TEST(ChildProcess, AMissingProgramIsNamed) {
  for (const char* program : {"no-such-program-here", "/no/such/program"}) {
    ProcessOptions options;
    options.program = program;
    try {
      ChildProcess::start(options);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::NotFound);
      EXPECT_NE(std::string(error.what()).find(program), std::string::npos);
    }
  }
}

TEST(ChildProcess, AFileThatIsNoProgramIsAnErrorAndNotAnExitStatus) {
  ProcessOptions options;
  options.program = "/etc/passwd";
  EXPECT_THROW(ChildProcess::start(options), Error);
}

TEST(ChildProcess, AtItsLimitTheWholeGroupDies) {
  TempDir dir;
  const auto pid_file = dir / "pid";
  EXPECT_THROW(run_process(shell("sleep 600 & echo $! > " + pid_file.string() + "; wait"), Deadline::in(300ms)), Error);
  pid_t grandchild = 0;
  std::ifstream(pid_file) >> grandchild;
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(gone_soon(grandchild));
}

TEST(ChildProcess, WhatItLeavesBehindDiesWithIt) {
  const auto result = run_process(shell("sleep 600 & echo $!"), Deadline::in(10s));
  EXPECT_TRUE(gone_soon(static_cast<pid_t>(std::stol(result.output))));
}

TEST(ChildProcess, DiesWithItsParent) {
  TempDir dir;
  const auto pid_file = dir / "pid";
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto child = ChildProcess::start(
        shell("echo $$ > " + pid_file.string() + ".part; mv " + pid_file.string() + ".part " + pid_file.string() + "; exec sleep 600"));
    ::pause();
    ::_exit(0);
  }
  const Deadline deadline = Deadline::in(10s);
  while (!std::filesystem::exists(pid_file) && !deadline.expired()) wait_until(deadline.at_most(5ms));
  pid_t child = 0;
  std::ifstream(pid_file) >> child;
  ASSERT_TRUE(alive(child));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(gone_soon(child));
}

TEST(ChildProcess, PassesOnlyTheDescriptorsItIsTold) {
  const UniqueFd secret(::open("/etc/hostname", O_RDONLY));  // without close-on-exec, as a careless library opens it
  const UniqueFd given(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  auto options = shell("ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/7");
  options.pass_descriptors = {{given.get(), 7}};
  const auto result = run_process(options, Deadline::in(10s));
  EXPECT_NE(result.output.find("7 "), std::string::npos);
  EXPECT_NE(result.output.find("/etc/passwd"), std::string::npos);
  EXPECT_EQ(result.output.find("hostname"), std::string::npos);
  EXPECT_EQ(result.output.substr(0, 6), "0 1 2 ");
}

TEST(ChildProcess, AddsToTheEnvironmentAndRunsInItsDirectory) {
  auto options = shell("echo $HILCOP_X $(pwd)");
  options.environment = {{"HILCOP_X", "here"}};
  options.directory = "/usr";
  EXPECT_EQ(run_process(options, Deadline::in(10s)).output, "here /usr\n");
}

TEST(ChildProcess, AWaitEndsAtItsDeadlineAndByInterrupt) {
  auto child = ChildProcess::start(shell("exec sleep 600"));
  EXPECT_FALSE(child->wait(Deadline::in(20ms)));
  request_interrupt();
  EXPECT_THROW(child->wait(Deadline::in(60s)), Interrupted);
  clear_interrupt();
  EXPECT_TRUE(child->running());
  EXPECT_EQ(child->kill().signal, SIGKILL);
}

}  // namespace

}  // namespace hilcop
