// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <thread>

#include "io/unique_fd.h"

namespace hilcop {

/// The one thread of a service. No signal comes to it, and it is asked to end by a descriptor that it polls beside its own.
class ServiceThread {
 public:
  /// Throws Error{Exhausted}.
  explicit ServiceThread(const std::string& object);
  ~ServiceThread() { end(); }
  ServiceThread(const ServiceThread&) = delete;
  ServiceThread& operator=(const ServiceThread&) = delete;

  /// Once. `run` returns soon after end_fd() has become readable, and does not throw. Throws Error{Exhausted}.
  void start(std::function<void()> run);
  /// Asks the thread to end and waits until it has; again: does nothing.
  void end();
  /// Readable from the time when it was asked to end.
  int end_fd() const { return end_.get(); }

 private:
  std::string object_;
  UniqueFd end_;
  std::thread thread_;
};

}  // namespace hilcop
