// SPDX-License-Identifier: Apache-2.0
#include "bench/roles.h"

#include "base/interrupt.h"

namespace hilcop {

bool DigitalInput::wait_for(bool level, Nanoseconds period, Deadline deadline) {
  while (get(deadline) != level) {
    if (deadline.expired()) return false;
    wait_until(deadline.at_most(period));
  }
  return true;
}

Nanoseconds Button::hold(Nanoseconds length, Deadline deadline) {
  SwitchResult pressed;
  try {
    pressed = press(deadline);  // one that failed may have been carried out all the same
    wait_until(Deadline(std::min(pressed.acknowledged + length, deadline.at())));
  } catch (...) {
    // A key must not stay pressed, whatever ended the wait. If that fails too, the first error is the one to tell: the lease's end
    // brings the key to its safe state.
    try {
      release(Deadline::in(5s));
    } catch (const std::exception&) {  // told already
    }
    throw;
  }
  const auto limit = Deadline(std::max(deadline.at(), real_clock().now() + 5s));
  return release(limit).acknowledged - pressed.acknowledged;
}

}  // namespace hilcop
