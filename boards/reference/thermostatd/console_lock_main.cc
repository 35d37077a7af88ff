// SPDX-License-Identifier: Apache-2.0
// ht1-console: what stands at the console in place of a login. Started by init as root: the daemon itself is no root.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>

#include "console_lock.h"
#include "error.h"
#include "files.h"
#include "steady.h"
#include "unit.h"

namespace {

using namespace ht1;

void say(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// No echo (a secret is typed here) and no signals by keys.
class QuietTerminal {
 public:
  QuietTerminal() : was_terminal_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!was_terminal_) return;
    termios quiet = before_;
    quiet.c_iflag &= ~static_cast<tcflag_t>(IXON);  // Ctrl-S would hold up whoever writes to this console
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG | IEXTEN);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
  }
  ~QuietTerminal() {
    if (was_terminal_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  termios before_{};
  bool was_terminal_;
};

void run_shell() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    ::ioctl(STDIN_FILENO, TIOCSCTTY, 1);
    ::setenv("PS1", "ht1# ", 1);
    ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    ::execl("/bin/sh", "sh", "-i", nullptr);
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
}

bool wait_for_unlock(ConsoleLock& lock) {
  const QuietTerminal quiet;
  say("HT-1: console locked\r\n");
  char bytes[256];
  while (true) {
    const auto n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    const auto answer = lock.feed({bytes, static_cast<std::size_t>(n)});
    say(answer.text);
    if (answer.unlocked) return true;
  }
}

int run(const std::filesystem::path& factory, const std::filesystem::path& fuses, const std::filesystem::path& data) {
  const Unit unit = read_unit(factory, fuses);
  const auto kept_in = data / "console-failures";
  unsigned failures = 0;
  const std::string kept = read_if_there(kept_in).value_or("0");
  std::from_chars(kept.data(), kept.data() + kept.size(), failures);
  ConsoleLock lock(unit.debug_unlock, steady_s, failures, [&](unsigned count) { write_file(kept_in, std::to_string(count)); });
  while (wait_for_unlock(lock)) run_shell();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("ht1-console FACTORY FUSES DATA: closes the console on stdin until \"unlock SECRET\"\n", stderr);
    return 2;
  }
  try {
    return run(argv[1], argv[2], argv[3]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ht1-console: %s\n", e.what());
    return 1;
  }
}
