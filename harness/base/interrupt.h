// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <exception>

#include "base/deadline.h"

namespace hilcop {

/// Thrown out of a wait when the process was asked to stop (Ctrl-C, a scenario over its time). Not an Error: nothing is wrong
/// with the bench.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

/// Asks every wait of this process to end with Interrupted, now and until clear_interrupt(). Async-signal-safe.
void request_interrupt() noexcept;
void clear_interrupt() noexcept;
bool interrupt_requested() noexcept;

/// While it lives, waits of this thread do not end with Interrupted: giving outputs back to their safe states must not be cut short by
/// the interrupt that began it. Deadlines hold as ever. Another wait after it ends with the interrupt that is still requested.
class InterruptsDeferred {
 public:
  InterruptsDeferred() noexcept;
  ~InterruptsDeferred();
  InterruptsDeferred(const InterruptsDeferred&) = delete;
  InterruptsDeferred& operator=(const InterruptsDeferred&) = delete;
};

/// Readable (level) while an interrupt is requested: add it to every poll set that may wait. Owned by the library.
int interrupt_fd();
/// Sleeps until the deadline or throws Interrupted: for waits that have no descriptor (minimum off time).
void wait_until(Deadline deadline);
/// True when fd is ready for `events` (poll flags), false at the deadline; throws Interrupted.
bool wait_ready(int fd, short events, Deadline deadline);

}  // namespace hilcop
