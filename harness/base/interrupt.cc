// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/error.h"

namespace hilcop {
namespace {

std::atomic<bool> requested{false};
thread_local int deferrals = 0;

int event_fd() {
  static const int fd = [] {
    const int made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0) throw error_from_errno(errno, "interrupt", "make an eventfd");
    return made;
  }();
  return fd;
}

// Made at load time: a signal handler must not run the first initialisation.
[[maybe_unused]] const int made_at_load = event_fd();

}  // namespace

void request_interrupt() noexcept {
  const int saved = errno;
  requested.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_fd(), &one, sizeof one);
  errno = saved;
}

void clear_interrupt() noexcept {
  requested.store(false);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(event_fd(), &count, sizeof count);
}

bool interrupt_requested() noexcept { return requested.load(); }

int interrupt_fd() { return event_fd(); }

InterruptsDeferred::InterruptsDeferred() noexcept { ++deferrals; }
InterruptsDeferred::~InterruptsDeferred() { --deferrals; }

bool wait_ready(int fd, short events, Deadline deadline) {
  while (true) {
    pollfd set[2] = {{deferrals > 0 ? -1 : event_fd(), POLLIN, 0}, {fd, events, 0}};
    const int ready = ::poll(set, fd >= 0 ? 2 : 1, deadline.poll_timeout_ms());
    if (ready < 0 && errno != EINTR) throw error_from_errno(errno, "wait", "poll");
    if (deferrals == 0 && requested.load()) throw Interrupted();
    if (ready > 0 && fd >= 0 && set[1].revents != 0) return true;
    if (deadline.expired()) return false;
  }
}

void wait_until(Deadline deadline) { wait_ready(-1, 0, deadline); }

}  // namespace hilcop
