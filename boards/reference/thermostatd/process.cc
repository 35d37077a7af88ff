// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "error.h"
#include "fd.h"

extern char** environ;

namespace ht1 {
namespace {

constexpr std::size_t kKept = 2000;

// -1 while it runs.
int status_of(pid_t child) {
  int status = 0;
  const pid_t found = ::waitpid(child, &status, WNOHANG);
  if (found == 0) return -1;
  if (found < 0) return 255;  // nobody knows how it ended
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Of an output pipe that may stay open in a grandchild, only as much as there is.
bool take(int fd, std::string& output) {
  char bytes[512];
  const auto n = ::read(fd, bytes, sizeof bytes);
  if (n > 0) output.append(bytes, static_cast<std::size_t>(n));
  if (output.size() > kKept) output.erase(0, output.size() - kKept);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

Ended run_program(const std::vector<std::string>& words, std::chrono::seconds limit, const std::atomic<bool>* stop) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure("cannot start " + words.at(0) + ": " + std::strerror(errno));
  Fd reading(ends[0]), writing(ends[1]);
  ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, writing.get(), 1);
  posix_spawn_file_actions_adddup2(&files, writing.get(), 2);
  posix_spawnattr_init(&attributes);
  sigset_t none, usual;
  sigemptyset(&none);
  sigfillset(&usual);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, words.at(0).c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw Failure("cannot start " + words.at(0) + ": " + std::strerror(failed) + "; is it in the image?");
  writing = Fd();

  Ended ended;
  const auto until = std::chrono::steady_clock::now() + limit;
  bool open = true;
  while ((ended.status = status_of(child)) < 0) {
    if (std::chrono::steady_clock::now() > until || (stop != nullptr && *stop)) {
      ::kill(-child, SIGKILL);
      int status = 0;
      ::waitpid(child, &status, 0);
      ended.status = 128 + SIGKILL;
      break;
    }
    pollfd said{open ? reading.get() : -1, POLLIN, 0};
    if (::poll(&said, 1, 20) > 0 && !take(reading.get(), ended.output)) open = false;
  }
  for (std::string before = "."; open && ended.output != before;) {
    before = ended.output;
    open = take(reading.get(), ended.output);
  }
  return ended;
}

}  // namespace ht1
