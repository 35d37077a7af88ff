// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A thing to wait for on another thread, with a deadline and Ctrl-C.
class Arrival {
 public:
  Arrival() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_) throw error_from_errno(errno, "this process", "make an eventfd");
  }
  void announce() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(fd_.get(), &one, sizeof one);
  }
  /// Readable from when it is announced until somebody has waited for it.
  int fd() const { return fd_.get(); }
  /// False at the deadline. Throws Interrupted.
  bool wait(Deadline deadline) const {
    if (!wait_ready(fd_.get(), POLLIN, deadline)) return false;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto n = ::read(fd_.get(), &count, sizeof count);
    return true;
  }

 private:
  UniqueFd fd_;
};

}  // namespace hilcop
