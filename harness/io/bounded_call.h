// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"

namespace hilcop {

/// For system calls that the kernel may hold for longer than any limit (the lock of a hub while a device on it misbehaves): each
/// runs in a thread of its own, one at a time. Not thread-safe itself.
class BoundedCalls {
 public:
  explicit BoundedCalls(std::string object) : object_(std::move(object)) {}
  /// Returns when the action has ended, throws what it threw; Error{Timeout} at the deadline, and again as long as it is still held.
  /// The action goes on then: it must own what it uses.
  void run(const std::string& what, Deadline deadline, std::function<void()> action);

 private:
  struct Call;
  std::string object_;
  std::shared_ptr<Call> held_;
};

}  // namespace hilcop
