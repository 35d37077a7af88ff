// SPDX-License-Identifier: Apache-2.0
#include "lockout.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "error.h"

namespace ht1 {
namespace {

constexpr unsigned kFree = 5;
constexpr double kFirst = 30, kMost = 900;

}  // namespace

Lockout::Lockout(std::string door, SealedStore& store, const Flaws& flaws, Seconds now)
    : door_(std::move(door)), store_(store), flaws_(flaws), now_(std::move(now)) {
  reload();
}

void Lockout::reload() {
  failures_ = 0;
  if (const auto kept = store_.get("lockout." + door_)) std::from_chars(kept->data(), kept->data() + kept->size(), failures_);
  // How much of the wait was over when the power went is not known: all of it again.
  locked_until_ = now_() + wait_s();
}

double Lockout::wait_s() const {
  if (failures_ < kFree || flaws_.has("no-lockout")) return 0;
  return std::min(kMost, kFirst * std::pow(2, std::min(failures_ - kFree, 10u)));
}

void Lockout::keep() const {
  if (flaws_.has("lockout-forgets")) return;
  store_.put("lockout." + door_, std::to_string(failures_));
}

void Lockout::begin_attempt() {
  const double left = locked_until_ - now_();
  if (left > 0) throw Refusal(429, "too many wrong attempts", static_cast<int>(std::ceil(left)));
  failures_ = std::min(failures_ + 1, 1000u);
  locked_until_ = now_() + wait_s();
  keep();
}

void Lockout::succeeded() {
  failures_ = 0;
  locked_until_ = 0;
  keep();
}

}  // namespace ht1
