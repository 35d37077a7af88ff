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
  const auto pressed = press(deadline);
  try {
    wait_until(Deadline(std::min(pressed.acknowledged + length, deadline.at())));
  } catch (...) {
    release(Deadline::in(5s));  // a key must not stay pressed, whatever ended the wait
    throw;
  }
  const auto limit = Deadline(std::max(deadline.at(), real_clock().now() + 5s));
  return release(limit).acknowledged - pressed.acknowledged;
}

}  // namespace hilcop
