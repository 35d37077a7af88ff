// SPDX-License-Identifier: Apache-2.0
#include "io/bounded_call.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"

namespace hilcop {

struct BoundedCalls::Call {
  bool ended_by(Deadline deadline) {
    std::unique_lock lock(mutex);
    return changed.wait_until(lock, deadline.at(), [this] { return ended; });
  }
  // Whoever waited owns it from here: the thread, which may end later, does not free it while it is read.
  std::exception_ptr take_failure() {
    const std::scoped_lock lock(mutex);
    return std::exchange(failure, nullptr);
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::exception_ptr failure;
};

void BoundedCalls::run(const std::string& what, Deadline deadline, std::function<void()> action) {
  const auto late = [&](const std::string& why) {
    return Error(ErrorKind::Timeout, object_, what + ": " + why, "unplug what misbehaves on it, or plug it in again");
  };
  if (held_ && !held_->ended_by(deadline)) throw late("the kernel still holds an earlier call");
  held_.reset();
  if (deadline.expired()) throw late("no time was left");
  auto call = std::make_shared<Call>();
  std::thread([call, action = std::move(action)]() mutable {
    std::exception_ptr failure;
    try {
      action();
    } catch (...) {
      failure = std::current_exception();
    }
    action = nullptr;  // what it owned goes before anybody hears that it ended
    const std::scoped_lock lock(call->mutex);
    call->failure = std::exchange(failure, nullptr);
    call->ended = true;
    call->changed.notify_all();
  }).detach();
  if (!call->ended_by(deadline)) {
    held_ = call;
    throw late("the kernel did not let it end in time");
  }
  if (const auto failure = call->take_failure()) std::rethrow_exception(failure);
}

}  // namespace hilcop
