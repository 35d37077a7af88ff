// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/interrupt.h"
#include "selftest/power_effect.h"

namespace hilcop {
namespace {

/// Looks until it dies; remembers when it looked last before each change and first after it.
class Watch {
 public:
  struct Change {
    bool there = false;
    SteadyTime before, after;
  };

  Watch(std::function<bool()> probe, Nanoseconds period)
      : thread_([this, probe = std::move(probe), period](const std::stop_token& stop) { look(stop, probe, period); }) {}

  // nullopt: it was never looked at yet.
  std::optional<bool> state() const {
    const std::scoped_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    return state_;
  }
  std::optional<Change> change_to(bool there, SteadyTime from) const {
    const std::scoped_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    for (const auto& change : changes_)
      if (change.there == there && change.after >= from) return change;
    return std::nullopt;
  }

 private:
  void look(const std::stop_token& stop, const std::function<bool()>& probe, Nanoseconds period) {
    SteadyTime looked{};
    while (!stop.stop_requested()) {
      const auto begin = real_clock().now();
      try {
        const bool there = probe();
        const auto end = real_clock().now();
        const std::scoped_lock lock(mutex_);
        if (state_ && *state_ != there) changes_.push_back({there, looked, end});
        state_ = there;
        looked = begin;
      } catch (const std::exception&) {
        const std::scoped_lock lock(mutex_);
        failure_ = std::current_exception();
        return;
      }
      real_clock().sleep_until(begin + period);
    }
  }

  mutable std::mutex mutex_;
  std::optional<bool> state_;
  std::vector<Change> changes_;
  std::exception_ptr failure_;
  std::jthread thread_;  // the last: it uses the others
};

class PolledEffect final : public PowerEffect {
 public:
  PolledEffect(std::string name, std::string object, std::function<bool()> probe, Nanoseconds period)
      : name_(std::move(name)), object_(std::move(object)), watch_(std::move(probe), period) {}

  const std::string& name() const override { return name_; }

  // What power brings may take its time to go; so long that it has gone by itself is long enough.
  void prepare(bool on) override {
    const auto limit = Deadline::in(5s);
    while (watch_.state() != !on) {
      if (limit.expired())
        throw Error(ErrorKind::Protocol, object_, on ? "is there although the power is off" : "is not there although the power is on",
                    "check that it is this DUT's, and that this port powers the DUT");
      wait_until(limit.at_most(2ms));
    }
  }

  Seen observe(const PowerEdge& edge, Deadline deadline) override {
    while (true) {
      if (const auto change = watch_.change_to(edge.on, edge.result.commanded)) {
        const Nanoseconds width = change->after - change->before;
        return {change->before + width / 2 - edge.result.commanded, width / 2, ""};
      }
      if (deadline.expired())
        throw Error(ErrorKind::Protocol, object_,
                    edge.on ? "did not come after the power was switched on" : "is still there after the power was switched off",
                    "check that it is this DUT's, and that this port powers the DUT");
      wait_until(deadline.at_most(2ms));
    }
  }

 private:
  std::string name_, object_;
  Watch watch_;
};

}  // namespace

std::unique_ptr<PowerEffect> make_polled_effect(std::string name, std::string object, std::function<bool()> probe, Nanoseconds period) {
  return std::make_unique<PolledEffect>(std::move(name), std::move(object), std::move(probe), period);
}

}  // namespace hilcop
