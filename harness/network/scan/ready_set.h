// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Descriptors that are waited for together, each with whoever waits: epoll(7). One that is closed is gone. Throws Error.
class ReadySet {
 public:
  ReadySet();
  int fd() const { return epoll_.get(); }
  void add(int fd, std::uint32_t events, void* who);
  /// Blocks until something is ready, or until then, to the nanosecond.
  void wait(SteadyTime until);
  /// Whose descriptors were ready at the end of the last wait; not those without anybody. Once.
  std::vector<void*> take();

 private:
  UniqueFd epoll_;
  std::array<epoll_event, 256> events_{};
  int ready_ = 0;
};

}  // namespace hilcop
