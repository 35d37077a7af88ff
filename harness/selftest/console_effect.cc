// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "selftest/power_effect.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kQuiet = 200ms;     // nothing for so long: it is silent
constexpr Nanoseconds kQuietWithin = 5s;  // after off
constexpr Nanoseconds kFirstWords = 15s;  // after on, where the board file does not say
constexpr Nanoseconds kWindow = 250ms;    // of talk that is looked at
constexpr std::size_t kFewest = 10;       // arrivals in it
constexpr Nanoseconds kSteadyGap = 25ms, kAnsweredGap = 50ms;
constexpr Nanoseconds kTypeEvery = 4ms;
constexpr Nanoseconds kAskAgain = 20ms;
constexpr Nanoseconds kStamp = 5ms;  // harness/console/docs/recording.md

double ms(Nanoseconds span) { return std::chrono::duration<double, std::milli>(span).count(); }

/// Types line ends until it dies: what echoes them shows to the end that it has power.
class Typist {
 public:
  explicit Typist(Console& console, const std::string& line_end)
      : thread_([&console, line_end](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            try {
              console.write(line_end, Deadline::in(50ms));
            } catch (const std::exception&) {
              // A line that takes nothing is as good as one that echoes nothing: the silence is judged, not this.
            }
            real_clock().sleep_until(real_clock().now() + kTypeEvery);
          }
        }) {}

 private:
  std::jthread thread_;
};

class ConsoleEffect final : public PowerEffect {
 public:
  ConsoleEffect(Dut& dut, const std::string& console, const Arrivals& arrivals, Nanoseconds byte_time)
      : dut_(dut), console_(dut.console(console)), arrivals_(arrivals), byte_time_(byte_time), name_("console " + console) {}

  const std::string& name() const override { return name_; }

  void prepare(bool on) override {
    prepared_ = real_clock().now();
    if (on)
      require_silence();
    else
      require_talk();
  }

  Seen observe(const PowerEdge& edge, Deadline deadline) override {
    return edge.on ? first_byte(edge, deadline) : last_byte(edge, deadline);
  }

 private:
  std::string object() const { return "console " + console_.source(); }

  Error speaks_without_power() const {
    return {ErrorKind::Protocol, object(), "speaks although the power of dut '" + dut_.config().name + "' is off",
            "check that this port powers this DUT, that the console is this DUT's, and that nothing else feeds it"};
  }

  void require_silence() {
    if (!arrivals_.wait_quiet(console_.source(), kQuiet, {}, Deadline::in(kQuietWithin))) throw speaks_without_power();
    if (std::exchange(asked_, true)) return;
    // One that waits at its prompt is silent with power, too; and power may take a while to go.
    const auto limit = Deadline::in(kQuietWithin);
    SteadyTime asked;
    do {
      if (limit.expired()) throw speaks_without_power();
      wait_until(Deadline::in(kAskAgain));
      asked = real_clock().now();  // before: an echo may be there when the write returns
      console_.write(dut_.config().board.line_end, Deadline::in(1s));
    } while (arrivals_.wait_spoke(console_.source(), asked, Deadline::in(kQuiet)));
  }

  Nanoseconds patience() const {
    const auto& stages = dut_.config().board.boot_stages;
    return stages.empty() ? kFirstWords : std::max<Nanoseconds>(2 * stages.front().deadline, 500ms);
  }

  Seen first_byte(const PowerEdge& edge, Deadline deadline) {
    const auto limit = deadline.at_most(patience());
    if (!arrivals_.wait_spoke(console_.source(), edge.result.commanded, limit))
      throw Error(ErrorKind::Protocol, object(),
                  fmt::format("said nothing in {:.1f} s after the power of dut '{}' was switched on",
                              ms(limit.at() - edge.result.commanded) / 1e3, dut_.config().name),
                  "check that this port powers this DUT, and that the console is this DUT's; or choose another --effect");
    const auto chunks = arrivals_.since(console_.source(), prepared_);
    Seen seen;
    if (chunks.front().at < edge.result.commanded) seen.dropped = "the console spoke before the command";
    const auto first = *std::find_if(chunks.begin(), chunks.end(), [&](const auto& chunk) { return chunk.at >= edge.result.commanded; });
    // The stamp is of the last byte that one read returned; they came one after the other.
    seen.latency = first.at - edge.result.commanded - static_cast<std::int64_t>(first.bytes) * byte_time_;
    seen.resolution = kStamp;
    if (holes_since(edge)) seen.dropped = "the recording has a gap there";
    return seen;
  }

  // The longest and the usual pause of the last while; nullopt: it does not speak so steadily that its end would show.
  bool speaks_steadily(Nanoseconds longest) {
    const auto now = real_clock().now();
    const auto chunks = arrivals_.since(console_.source(), now - kWindow);
    if (chunks.size() < kFewest) return false;
    std::vector<Nanoseconds> gaps;
    for (std::size_t i = 1; i < chunks.size(); ++i) gaps.push_back(chunks[i].at - chunks[i - 1].at);
    gaps.push_back(now - chunks.back().at);
    std::sort(gaps.begin(), gaps.end());
    longest_gap_ = gaps.back();
    usual_gap_ = gaps[gaps.size() / 2];
    return longest_gap_ <= longest;
  }

  bool becomes_steady(Nanoseconds longest, Deadline deadline) {
    while (!speaks_steadily(longest)) {
      if (deadline.expired()) return false;
      wait_until(deadline.at_most(10ms));
    }
    return true;
  }

  void require_talk() {
    if (!dut_.config().board.boot_stages.empty()) {
      const auto boot = dut_.boot_to("", Deadline::in(600s));
      if (!boot.complete)
        throw Error(ErrorKind::Protocol, object(), "boot stage '" + boot.missing + "' did not come", "see whether the DUT boots at all");
    }
    if (!answers_ && becomes_steady(kSteadyGap, Deadline::in(4 * kWindow))) return;
    answers_ = true;
    typist_.emplace(console_, dut_.config().board.line_end);
    if (becomes_steady(kAnsweredGap, Deadline::in(3s))) return;
    typist_.reset();
    throw Error(ErrorKind::Unsupported, object(),
                "neither speaks by itself nor answers what is typed: its silence after off would show nothing", "choose another --effect");
  }

  Seen last_byte(const PowerEdge& edge, Deadline deadline) {
    const auto quiet = std::max<Nanoseconds>(kQuiet, 8 * longest_gap_);
    const bool silent = arrivals_.wait_quiet(console_.source(), quiet, edge.result.acknowledged, deadline);
    typist_.reset();
    if (!silent)
      throw Error(ErrorKind::Protocol, object(), "speaks on although the power of dut '" + dut_.config().name + "' was switched off",
                  "check that this port powers this DUT, that it is not stuck, and that the console is this DUT's");
    Seen seen;
    const auto last = arrivals_.last(console_.source());
    // It went between the last byte and the one that would have been next: in the middle, give or take half of that.
    seen.latency = last + usual_gap_ / 2 - edge.result.commanded;
    seen.resolution = longest_gap_ / 2 + kStamp;
    if (last + longest_gap_ < edge.result.commanded) seen.dropped = "the console had fallen silent before the command";
    if (holes_since(edge)) seen.dropped = "the recording has a gap there";
    return seen;
  }

  // A stream that was lost or deaf; one that went with the power is what is expected of an adapter that the board feeds.
  bool holes_since(const PowerEdge& edge) const {
    const auto gaps = console_.gaps_since(0);
    return std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
      return gap.end >= edge.result.commanded && (gap.cause == "lost" || gap.cause == "deaf" || gap.cause == "overrun");
    });
  }

  Dut& dut_;
  Console& console_;
  const Arrivals& arrivals_;
  Nanoseconds byte_time_;
  std::string name_;
  bool asked_ = false, answers_ = false;
  Nanoseconds longest_gap_{}, usual_gap_{};
  SteadyTime prepared_;
  std::optional<Typist> typist_;
};

}  // namespace

std::unique_ptr<PowerEffect> make_console_effect(Dut& dut, const std::string& console, const Arrivals& arrivals, Nanoseconds byte_time) {
  return std::make_unique<ConsoleEffect>(dut, console, arrivals, byte_time);
}

}  // namespace hilcop
