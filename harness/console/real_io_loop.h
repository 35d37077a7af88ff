// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "console/io_loop.h"
#include "io/unique_fd.h"

namespace hilcop {

/// What the I/O thread serves.
class Polled {
 public:
  virtual ~Polled() = default;
  /// Reads what is there; returns how many bytes.
  virtual std::size_t on_readable() = 0;
  /// Called every 40 ms, and at least once after add().
  virtual void on_tick(SteadyTime now) = 0;
};

/// One epoll instance, one thread. A descriptor that is being borrowed is switched to no events, never waited for by two.
class RealIoLoop final : public IoLoop {
 public:
  RealIoLoop();
  ~RealIoLoop() override;

  void add(Polled* polled);
  /// On return nothing of `polled` is running or will be called.
  void remove(Polled* polled);
  /// On return no call is running that had begun before. Not under a lock that such a call may wait for.
  void pass() { const std::scoped_lock lock(dispatch_); }
  /// These only touch the epoll set: allowed under any lock. A closed descriptor leaves by itself.
  void watch(int fd, Polled* polled) const;
  void enable(int fd, Polled* polled, bool readable) const;

 private:
  void run();
  SteadyTime tick(SteadyTime now);

  UniqueFd epoll_, wake_;
  std::mutex dispatch_;
  std::map<Polled*, SteadyTime> due_;  // whom it serves, and when each is ticked next
  int added_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hilcop
