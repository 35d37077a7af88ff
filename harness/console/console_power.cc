// SPDX-License-Identifier: Apache-2.0
// What the board's power does to its console: which losses are the power's, and how the lines stand meanwhile.
#include <algorithm>
#include <exception>

#include "console/real_console.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kEdge = 500ms;  // for so long a line may fall or rise

}  // namespace

void RealConsole::power_changed(bool on) {
  {
    const std::scoped_lock lock(mutex_);
    if (on) catch_up();  // that was still without power
    const auto now = real_clock().now();
    if (!on && deaf()) tell_absence(now, "the power went before it was opened again");
    if (on != powered_) power_came_ = on ? std::optional(now) : std::nullopt, power_came_told_ = false;
    powered_ = on;
    power_changed_at_ = now;
    power_edge_until_ = now + kEdge;
    power_going_.reset();
    excused_ = false;
    failed_.reset();
    if (!on) catch_up();
    reopen_at_once_ = true;  // a console that the board powers comes with it
    reopen_.notify_all();
  }
  const auto& lines = options_.lines;
  if (lines.dtr || lines.rts || lines.tx_low_while_off) hold_lines_now();
}

void RealConsole::power_going(std::optional<SteadyTime> when) {
  const std::scoped_lock lock(mutex_);
  catch_up();
  if (!when && excused_) {
    if (!stream_) lost_as_ = "lost";
    add_gap({"lost", window_.end(), *power_going_, real_clock().now(), "the power did not go: what was taken for its doing is a loss"});
  }
  power_going_ = when;
  excused_ = false;
}

void RealConsole::power_came(SteadyTime when) {
  const std::scoped_lock lock(mutex_);
  power_edge_until_ = std::max(power_edge_until_, when + kEdge);
  if (power_came_ && !std::exchange(power_came_told_, true)) power_came_ = std::max(*power_came_, when);
}

// Whether what is lost at that time goes with the power. While it is being switched off that is not known yet, see power_going().
bool RealConsole::power_takes(SteadyTime at) const { return !powered_ || (power_going_ && at >= *power_going_); }

// The stream went with the power, which has come again.
bool RealConsole::deaf() const { return lost_as_ == "powered_off" && powered_ && power_came_ && *power_came_ > lost_at_; }

Gap RealConsole::not_back() const {
  return {"lost", window_.end(), *power_came_, real_clock().now(), "it has not come back with the power"};
}

// The time without a line, in two where the power came again: until then there was nothing to hear.
void RealConsole::tell_absence(SteadyTime until, const std::string& detail) {
  if (!deaf()) return add_gap({lost_as_, window_.end(), lost_at_, until, detail});
  add_gap({"powered_off", window_.end(), lost_at_, *power_came_, "until the power came"});
  lost_at_ = until;
  const auto deaf_ms = (until - *power_came_) / 1ms;
  add_gap({"deaf", window_.end(), *power_came_, until, "for " + std::to_string(deaf_ms) + " ms of power: " + detail});
}

// Let go of before power comes, so that the device never hears the end of a break. Each of them, whatever is wrong with another.
void RealConsole::hold_lines(ByteStream& stream, bool powered) const {
  const auto& lines = options_.lines;
  std::exception_ptr wrong;
  const auto attempt = [&wrong](const auto& action) {
    try {
      action();
    } catch (...) {
      if (!wrong) wrong = std::current_exception();
    }
  };
  if (lines.dtr) attempt([&] { stream.set_line(ModemLine::Dtr, powered ? lines.dtr->on : lines.dtr->off); });
  if (lines.rts) attempt([&] { stream.set_line(ModemLine::Rts, powered ? lines.rts->on : lines.rts->off); });
  if (lines.tx_low_while_off) attempt([&] { stream.hold_break(!powered); });
  if (wrong) std::rethrow_exception(wrong);
}

}  // namespace hilcop
