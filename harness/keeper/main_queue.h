// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "io/unique_fd.h"

namespace hilcop {

/// What other threads and later times ask the keeper's one main thread to do. post() is thread-safe; the rest is the main thread's.
class MainQueue {
 public:
  using Task = std::function<void()>;
  MainQueue();
  void post(Task task);
  void at(SteadyTime when, Task task) { timers_.emplace(when, std::move(task)); }
  /// Readable while something was posted.
  int fd() const { return wake_.get(); }
  /// Milliseconds until the next timer, at most `limit`; for poll(2).
  int timeout_ms(int limit) const;
  /// Runs what was posted and every timer that is due.
  void run();

 private:
  UniqueFd wake_;
  std::mutex mutex_;
  std::vector<Task> posted_;
  std::multimap<SteadyTime, Task> timers_;
};

}  // namespace hilcop
