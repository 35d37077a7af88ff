// SPDX-License-Identifier: Apache-2.0
#include "cli/line_printer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace hilcop {
namespace {

constexpr int kLookEveryMs = 100;  // whether it is to end
constexpr Nanoseconds kToEnd = 1s;

// Not a file: it would be written from its begin again.
UniqueFd opened_again() {
  struct stat about {};
  const bool waits = ::isatty(1) != 0 || (::fstat(1, &about) == 0 && S_ISFIFO(about.st_mode));
  return UniqueFd(waits ? ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) : -1);
}

}  // namespace

LinePrinter::LinePrinter(std::function<std::string(std::size_t)> lost_line)
    : lost_line_(std::move(lost_line)),
      terminal_(::isatty(1) != 0),
      own_(opened_again()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

LinePrinter::~LinePrinter() = default;

void LinePrinter::line(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  if (over_) return;
  if (waiting_.size() + text.size() > kMostBytes) {
    ++not_shown_;
    return;
  }
  waiting_ += text + "\n";
  ready_.notify_one();
}

void LinePrinter::run(const std::stop_token& stop) {
  for (;;) {
    std::string text;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, stop, [this] { return !waiting_.empty(); });
      if (waiting_.empty()) return;
      text = std::exchange(waiting_, {});
    }
    if (write_out(text, stop)) {
      const std::scoped_lock lock(mutex_);
      if (const auto lost = std::exchange(not_shown_, 0); lost != 0) waiting_ = lost_line_(lost) + "\n" + waiting_;
      continue;
    }
    const std::scoped_lock lock(mutex_);
    over_ = true;
    unread_.announce();
    return;
  }
}

// False: whoever read it has gone, or it is to end and nobody takes it.
bool LinePrinter::write_out(const std::string& text, const std::stop_token& stop) const {
  const int fd = own_ ? own_.get() : 1;
  std::optional<Deadline> end;
  for (std::size_t at = 0; at < text.size();) {
    if (stop.stop_requested() && !end) end = Deadline::in(kToEnd);
    if (end && end->expired()) return false;
    pollfd writable{fd, POLLOUT, 0};
    if (::poll(&writable, 1, kLookEveryMs) <= 0) continue;
    const auto n = ::write(fd, text.data() + at, std::min<std::size_t>(text.size() - at, PIPE_BUF));
    if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (n > 0) at += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace hilcop
