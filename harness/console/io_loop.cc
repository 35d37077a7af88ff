// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "console/real_io_loop.h"

namespace hilcop {
namespace {

constexpr std::chrono::milliseconds kTick = 40ms;
// With many consoles, who says little is read a little later and with others, at a fraction of the wake-ups: a stamp is late by
// that at most (docs/recording.md promises 5 ms). What waits reads by itself and is never late.
constexpr std::chrono::milliseconds kGather{2};
constexpr std::size_t kMany = 8, kLittle = 1024;

}  // namespace

std::unique_ptr<IoLoop> IoLoop::start() { return std::make_unique<RealIoLoop>(); }

RealIoLoop::RealIoLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !wake_) throw error_from_errno(errno, "console I/O", "make an epoll instance");
  watch(wake_.get(), nullptr);
  // Signals are the main thread's: Python's handlers run there.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RealIoLoop::~RealIoLoop() {
  {
    const std::scoped_lock lock(dispatch_);
    ending_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void RealIoLoop::add(Polled* polled) {
  const std::scoped_lock lock(dispatch_);
  // Ticks are spread over their period: hundreds at once would keep bytes waiting for their stamps.
  due_[polled] = real_clock().now() + kTick * (added_++ * 13 % 32) / 32;
}

void RealIoLoop::remove(Polled* polled) {
  const std::scoped_lock lock(dispatch_);
  due_.erase(polled);
}

// Returns when the next is due.
SteadyTime RealIoLoop::tick(SteadyTime now) {
  SteadyTime soonest = now + kTick;
  for (auto& [polled, due] : due_) {
    if (due <= now) {
      due = now + kTick;
      polled->on_tick(now);
    }
    soonest = std::min(soonest, due);
  }
  return soonest;
}

void RealIoLoop::watch(int fd, Polled* polled) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = polled;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw error_from_errno(errno, "console I/O", "watch a descriptor");
}

void RealIoLoop::enable(int fd, Polled* polled, bool readable) const {
  epoll_event event{};
  event.events = readable ? EPOLLIN : 0u;
  event.data.ptr = polled;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void RealIoLoop::run() {
  std::array<epoll_event, 256> events;
  Deadline next_tick(real_clock().now());
  while (true) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), next_tick.at_most(kTick).poll_timeout_ms());
    bool gather = false;
    {
      const std::scoped_lock lock(dispatch_);
      if (ending_) return;
      std::size_t most = 0;
      for (int i = 0; i < count; ++i) {
        auto* polled = static_cast<Polled*>(events[static_cast<std::size_t>(i)].data.ptr);
        // Removed since epoll_wait returned: not ours to touch.
        if (due_.contains(polled)) most = std::max(most, polled->on_readable());
      }
      gather = count > 0 && due_.size() >= kMany && most < kLittle;
      next_tick = Deadline(tick(real_clock().now()));
    }
    pollfd ending{wake_.get(), POLLIN, 0};
    if (gather) ::poll(&ending, 1, static_cast<int>(kGather / 1ms));
  }
}

}  // namespace hilcop
