// SPDX-License-Identifier: Apache-2.0
#include "selftest/calibrate.h"

#include <fmt/format.h>

namespace hilcop {
namespace {

using nlohmann::json;

constexpr Nanoseconds kCalibrationSwitchLimit = 60s;

// Of one edge.
struct Measured {
  std::vector<Nanoseconds> latencies;
  Nanoseconds resolution{};
  std::string impossible;  // why it cannot be measured; empty: it can

  std::optional<LatencySpread> spread(const std::string& object, const json& dropped, int of) const {
    if (!impossible.empty()) return std::nullopt;
    if (2 * static_cast<int>(latencies.size()) <= of)
      throw Error(ErrorKind::Protocol, object,
                  fmt::format("{} of {} switchings count for nothing: {}", of - static_cast<int>(latencies.size()), of,
                              dropped.empty() ? "?" : dropped.back().at("why").get<std::string>()),
                  "see whether the effect follows the power at all, or choose another --effect");
    return spread_of(latencies, resolution);
  }
};

class Calibrating {
 public:
  Calibrating(Dut& dut, PowerEffect& effect, Calibration key, const CalibrateOptions& options)
      : dut_(dut), effect_(effect), result_(std::move(key)), options_(options) {}

  Calibration run() {
    auto& power = dut_.power();
    power.off(json::object(), Deadline::in(kCalibrationSwitchLimit));
    for (int n = 1; n <= options_.switchings; ++n) {
      switching(n, true, on_, [&] { return power.on(Deadline::in(kCalibrationSwitchLimit)); });
      switching(n, false, off_, [&] { return power.off(json::object(), Deadline::in(kCalibrationSwitchLimit)); });
      if (options_.progress) options_.progress(n);
    }
    const auto object = "power of dut '" + dut_.config().name + "'";
    result_.effect = effect_.name();
    result_.on = on_.spread(object, result_.dropped, options_.switchings);
    result_.off = off_.spread(object, result_.dropped, options_.switchings);
    for (const auto* edge : {&on_, &off_})
      if (!edge->impossible.empty()) result_.notes.push_back(edge->impossible);
    result_.at = real_clock().utc_now();
    return result_;
  }

 private:
  template <typename Switch>
  void switching(int n, bool on, Measured& measured, const Switch& perform) {
    if (measured.impossible.empty()) {
      try {
        effect_.prepare(on);
      } catch (const Error& error) {
        // One edge may well be seen and the other not: that one then stays unknown, and its figure empty.
        if (error.kind() != ErrorKind::Unsupported || n > 1) throw;
        measured.impossible = std::string(on ? "on" : "off") + " is not measured: " + error.object() + " " + error.cause();
      }
    }
    const auto edge = perform();
    if (!measured.impossible.empty()) return;
    auto seen = effect_.observe(edge, Deadline::in(options_.limit));
    if (edge.result.details.value("already", false)) seen.dropped = "somebody else had switched it";
    if (seen.dropped.empty() && seen.latency < -seen.resolution) seen.dropped = "the effect came before the command";
    if (!seen.dropped.empty()) {
      result_.dropped.push_back({{"switching", n}, {"on", on}, {"why", seen.dropped}});
      return;
    }
    measured.latencies.push_back(seen.latency);
    measured.resolution = std::max(measured.resolution, seen.resolution);
  }

  Dut& dut_;
  PowerEffect& effect_;
  Calibration result_;
  const CalibrateOptions& options_;
  Measured on_, off_;
};

}  // namespace

Calibration calibrate(Dut& dut, PowerEffect& effect, Calibration key, const CalibrateOptions& options) {
  return Calibrating(dut, effect, std::move(key), options).run();
}

}  // namespace hilcop
