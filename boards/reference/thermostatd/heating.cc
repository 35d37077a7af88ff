// SPDX-License-Identifier: Apache-2.0
#include "heating.h"

#include <chrono>
#include <cmath>
#include <ctime>

namespace ht1 {
namespace {

constexpr double kOutside = 6, kHeaterLift = 28, kTimeConstant = 1800;  // the heater alone would hold 34 degrees
constexpr double kHysteresis = 0.5;

}  // namespace

void Room::pass(double seconds, bool heating) {
  const double settles_at = kOutside + (heating ? kHeaterLift : 0);
  celsius_ += (settles_at - celsius_) * (1 - std::exp(-seconds / kTimeConstant));
}

Heating::Heating(std::function<void(bool)> output, std::function<void()> tick) : output_(std::move(output)), tick_(std::move(tick)) {}

Heating::~Heating() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  output_(false);  // whoever ends it leaves no heater on
}

void Heating::start() {
  thread_ = std::thread([this] { run(std::unique_lock(mutex_)); });
}

void Heating::run(std::unique_lock<std::mutex> lock) {
  auto next = std::chrono::steady_clock::now();
  while (!stopping_) {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    lock.unlock();
    step(1, (local.tm_wday + 6) % 7, local.tm_hour * 60 + local.tm_min);
    lock.lock();
    next += std::chrono::seconds(1);
    wake_.wait_until(lock, next, [this] { return stopping_; });
  }
}

void Heating::step(double seconds, int day, int minute) {
  bool heating = false;
  {
    const std::lock_guard lock(mutex_);
    const bool by_hand = set_minutes_ago_ && !began_within(schedule_, day, minute, *set_minutes_ago_);
    set_minutes_ago_.reset();
    if (const auto wanted = wanted_at(schedule_, day, minute); wanted != scheduled_) {
      scheduled_ = wanted;
      if (wanted && !by_hand) target_ = *wanted;
    }
    room_.pass(seconds, heating_);
    if (room_.celsius() < target_ - kHysteresis) heating_ = true;
    if (room_.celsius() > target_ + kHysteresis) heating_ = false;
    heating = heating_;
  }
  output_(heating);
  tick_();
}

HeatingState Heating::state() const {
  const std::lock_guard lock(mutex_);
  return {std::round(room_.celsius() * 100) / 100, target_, heating_};
}

void Heating::set_target(double celsius, long minutes_ago) {
  const std::lock_guard lock(mutex_);
  target_ = celsius;
  if (!scheduled_) set_minutes_ago_ = minutes_ago;
}

void Heating::forget() {
  const std::lock_guard lock(mutex_);
  schedule_.clear();
  scheduled_.reset();
  set_minutes_ago_.reset();
  target_ = kTargetOfNew;
}

void Heating::set_schedule(Schedule schedule) {
  const std::lock_guard lock(mutex_);
  schedule_ = std::move(schedule);
  scheduled_.reset();
  set_minutes_ago_.reset();
}

Schedule Heating::schedule() const {
  const std::lock_guard lock(mutex_);
  return schedule_;
}

}  // namespace ht1
