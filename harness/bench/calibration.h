// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/config.h"

namespace hilcop {

/// How long after its command the effect of a switching came, over `count` switchings.
struct LatencySpread {
  int count = 0;
  Nanoseconds median{}, mad{}, p05{}, p95{}, least{}, most{};
  Nanoseconds resolution{};  // how far off each single value may be, by the way it was seen
  /// The moment of the next effect is known to within this of the median: the farthest that any was from it, and the resolution.
  Nanoseconds uncertainty() const;
};

/// Of at least one latency. MAD: the median distance from the median. Percentiles: nearest rank.
LatencySpread spread_of(std::vector<Nanoseconds> latencies, Nanoseconds resolution);

/// What `hilcop calibrate` found of the power of one DUT: kept (bench_records.h) by instrument, channel and DUT.
struct Calibration {
  std::string dut;         // "desk/lamp": bench and DUT
  std::string instrument;  // its identity
  std::string channel;
  std::string effect;  // by what the effect was seen: "console main"
  UtcTime at;
  std::optional<LatencySpread> on, off;  // nullopt: not measured, see `notes`
  std::vector<std::string> notes;
  nlohmann::json dropped = nlohmann::json::array();  // [{"switching", "on", "why"}]
};

/// Identity of what powers a DUT, for the key under which a calibration is kept. Only for a DUT with power.
Calibration calibration_key(const BenchConfig& bench, const DutConfig& dut, DriverTable drivers);

/// Times in seconds (`*_s`); `uncertainty_s` beside each spread.
nlohmann::json to_json(const Calibration& calibration);
Calibration calibration_from_json(const nlohmann::json& value);

/// Throws Error (disk full, no permission).
void save_calibration(const Calibration& calibration);
/// The last one of this power port; nullopt: none, one that is not whole, or another group's. Throws Error where it cannot be read.
std::optional<Calibration> find_calibration(const Calibration& key);

}  // namespace hilcop
