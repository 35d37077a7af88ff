// SPDX-License-Identifier: Apache-2.0
#include "keeper/main_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "base/error.h"
#include "base/log.h"

namespace hilcop {

MainQueue::MainQueue() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw error_from_errno(errno, "keeper", "make an eventfd");
}

void MainQueue::post(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

int MainQueue::timeout_ms(int limit) const {
  if (timers_.empty()) return limit;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - real_clock().now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, limit));
}

void MainQueue::run() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
  std::vector<Task> due;
  {
    const std::scoped_lock lock(mutex_);
    due.swap(posted_);
  }
  const auto now = real_clock().now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    due.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
  }
  // A task that fails must not take the keeper, and with it every output, down.
  for (auto& task : due) {
    try {
      task();
    } catch (const std::exception& error) {
      log(LogLevel::Error, "keeper: {}", error.what());
    }
  }
}

}  // namespace hilcop
