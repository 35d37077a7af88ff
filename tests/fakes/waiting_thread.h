// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/interrupt.h"

namespace hilcop {

/// A thread that is made to wait for something: when the constructor returns, it sleeps in poll(), or it has ended.
class WaitingThread {
 public:
  template <typename Action>
  explicit WaitingThread(Action action)
      : thread_([this, action] {
          tid_ = static_cast<pid_t>(::syscall(SYS_gettid));
          action();
          ended_ = true;
        }) {
    const Deadline deadline = Deadline::in(20s);
    while (!ended_ && !polls()) {
      if (deadline.expired()) {
        ADD_FAILURE() << "the thread does not wait";
        return;
      }
      wait_until(deadline.at_most(1ms));
    }
  }
  void join() { thread_.join(); }

 private:
  // The kernel says which call a thread sleeps in.
  bool polls() const {
    const pid_t tid = tid_;
    long call = -1;
    if (tid != 0) std::ifstream("/proc/self/task/" + std::to_string(tid) + "/syscall") >> call;
    return call == SYS_poll;
  }

  std::atomic<pid_t> tid_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;  // last: it uses the others
};

}  // namespace hilcop
