// SPDX-License-Identifier: Apache-2.0
// The essential function: once a second, measure and switch the heater, whatever the network, the cloud or the API do.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "schedule.h"

namespace ht1 {

// In place of a sensor: a room that a 2 kW heater warms and the street cools.
class Room {
 public:
  void pass(double seconds, bool heating);
  double celsius() const { return celsius_; }

 private:
  double celsius_ = 17;
};

struct HeatingState {
  double celsius = 0, target = 0;
  bool heating = false;
};

class Heating {
 public:
  static constexpr double kTargetOfNew = 20;

  // `output` gets the heater's state each second; `tick` shows that the loop is alive (watchdog).
  Heating(std::function<void(bool)> output, std::function<void()> tick);
  ~Heating();

  void start();
  void step(double seconds, int day, int minute);
  HeatingState state() const;
  // By hand: until the schedule's next entry begins. After a start: so many minutes ago; nothing happens when one has begun since.
  void set_target(double celsius, long minutes_ago = 0);
  // As new: no schedule, and the target of a unit that nobody has set up.
  void forget();
  void set_schedule(Schedule schedule);
  Schedule schedule() const;

 private:
  void run(std::unique_lock<std::mutex> lock);

  std::function<void(bool)> output_;
  std::function<void()> tick_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  Room room_;
  Schedule schedule_;
  std::optional<double> scheduled_;
  double target_ = kTargetOfNew;
  std::optional<long> set_minutes_ago_;  // by hand, before it ran
  bool heating_ = false;
  std::thread thread_;
};

}  // namespace ht1
