// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "io/unique_fd.h"

namespace hilcop {

/// One thread that serves one socket, from start() until this is destroyed. No signal comes to it.
class SocketLoop {
 public:
  struct Work {
    /// Something has come: take some of it, without blocking. False: nothing will ever come again; the socket is not looked at any more.
    std::function<bool()> read;
    /// Do what is due now; when it wants to be called next. Also called after each read and each wake.
    std::function<SteadyTime()> due;
  };
  /// `socket` stays the caller's. Throws Error{Exhausted} on `object`.
  SocketLoop(int socket, Work work, const Clock& clock, const std::string& object);
  ~SocketLoop() { end(); }
  SocketLoop(const SocketLoop&) = delete;
  SocketLoop& operator=(const SocketLoop&) = delete;

  /// Once. Throws Error{Exhausted}.
  void start();
  /// Something else is due now. From any thread.
  void wake();
  /// Waits until the thread has ended; nothing is called after it. Not from the thread itself.
  void end();

 private:
  void run();

  int socket_;
  std::string object_;
  Work work_;
  const Clock& clock_;
  UniqueFd wake_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace hilcop
