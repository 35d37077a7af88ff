// SPDX-License-Identifier: Apache-2.0
#include "io/captured_output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr std::size_t kKept = 64 * 1024;

}  // namespace

CapturedOutput::CapturedOutput(const std::string& object) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw error_from_errno(errno, object, "make a pipe for its output");
  read_.reset(ends[0]);
  write_.reset(ends[1]);
  ::fcntl(read_.get(), F_SETFL, O_NONBLOCK);  // of this end alone
  stop_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!stop_) throw error_from_errno(errno, object, "read its output");
  // Signals are for the threads that expect them.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  try {
    thread_ = std::thread([this] { drain(); });
  } catch (const std::system_error& error) {
    failed = error.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) throw error_from_errno(failed, object, "start a thread that reads its output");
}

CapturedOutput::~CapturedOutput() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::string CapturedOutput::last() {
  const std::scoped_lock lock(mutex_);
  // What the thread has not come to yet; no more than there is now, for somebody may write on and on.
  int waiting = 0;
  ::ioctl(read_.get(), FIONREAD, &waiting);
  for (std::size_t left = static_cast<std::size_t>(std::max(waiting, 0)); left > 0;) {
    const auto n = take(left);
    if (n == 0) break;
    left -= n;
  }
  return kept_.size() <= kKept ? kept_ : kept_.substr(kept_.size() - kKept);
}

void CapturedOutput::drain() {
  std::array<pollfd, 2> wanted{{{read_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  while (true) {
    if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
    if (wanted[1].revents != 0) return;
    const std::scoped_lock lock(mutex_);
    if (take(kKept) == 0 && (wanted[0].revents & POLLIN) == 0 && wanted[0].revents != 0) return;  // nobody can write any more
  }
}

std::size_t CapturedOutput::take(std::size_t most) {
  std::array<char, 16 * 1024> piece;
  const auto n = ::read(read_.get(), piece.data(), std::min(most, piece.size()));
  if (n <= 0) return 0;
  kept_.append(piece.data(), static_cast<std::size_t>(n));
  if (kept_.size() > 2 * kKept) kept_.erase(0, kept_.size() - kKept);
  return static_cast<std::size_t>(n);
}

}  // namespace hilcop
