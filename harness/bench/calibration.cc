// SPDX-License-Identifier: Apache-2.0
#include "bench/calibration.h"

#include <algorithm>
#include <cmath>

#include "bench/bench_records.h"
#include "evidence/sha256.h"

namespace hilcop {
namespace {

using nlohmann::json;

Nanoseconds middle(const std::vector<Nanoseconds>& sorted) {
  const auto half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

Nanoseconds percentile(const std::vector<Nanoseconds>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }
Nanoseconds from_seconds(const json& number) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(number.get<double>()));
}

json to_json(const std::optional<LatencySpread>& spread) {
  if (!spread) return nullptr;
  return {{"count", spread->count},
          {"median_s", seconds(spread->median)},
          {"mad_s", seconds(spread->mad)},
          {"p05_s", seconds(spread->p05)},
          {"p95_s", seconds(spread->p95)},
          {"least_s", seconds(spread->least)},
          {"most_s", seconds(spread->most)},
          {"resolution_s", seconds(spread->resolution)},
          {"uncertainty_s", seconds(spread->uncertainty())}};
}

std::optional<LatencySpread> spread_from_json(const json& value) {
  if (value.is_null()) return std::nullopt;
  LatencySpread spread;
  spread.count = value.at("count");
  spread.median = from_seconds(value.at("median_s"));
  spread.mad = from_seconds(value.at("mad_s"));
  spread.p05 = from_seconds(value.at("p05_s"));
  spread.p95 = from_seconds(value.at("p95_s"));
  spread.least = from_seconds(value.at("least_s"));
  spread.most = from_seconds(value.at("most_s"));
  spread.resolution = from_seconds(value.at("resolution_s"));
  return spread;
}

constexpr const char* kKind = "calibration";

std::string name_of(const Calibration& key) { return sha256_hex(json{key.dut, key.instrument, key.channel}.dump()).substr(0, 24); }

}  // namespace

Nanoseconds LatencySpread::uncertainty() const { return std::max(most - median, median - least) + resolution; }

LatencySpread spread_of(std::vector<Nanoseconds> latencies, Nanoseconds resolution) {
  std::sort(latencies.begin(), latencies.end());
  LatencySpread spread;
  spread.count = static_cast<int>(latencies.size());
  spread.median = middle(latencies);
  spread.p05 = percentile(latencies, 0.05);
  spread.p95 = percentile(latencies, 0.95);
  spread.least = latencies.front();
  spread.most = latencies.back();
  spread.resolution = resolution;
  for (auto& one : latencies) one = std::chrono::abs(one - spread.median);
  std::sort(latencies.begin(), latencies.end());
  spread.mad = middle(latencies);
  return spread;
}

Calibration calibration_key(const BenchConfig& bench, const DutConfig& dut, DriverTable drivers) {
  const auto& instrument = bench.instruments.at(dut.power->poles.front().role.instrument);
  Calibration key;
  key.dut = bench.name + "/" + dut.name;
  key.instrument = find_driver(drivers, instrument.driver)->identity(instrument);
  key.channel = dut.power->poles.front().role.channel;
  return key;
}

json to_json(const Calibration& calibration) {
  return {{"format", "hilcop calibration 1"},
          {"dut", calibration.dut},
          {"instrument", calibration.instrument},
          {"channel", calibration.channel},
          {"effect", calibration.effect},
          {"utc", to_iso8601(calibration.at)},
          {"utc_ns", calibration.at.time_since_epoch().count()},
          {"on", to_json(calibration.on)},
          {"off", to_json(calibration.off)},
          {"notes", calibration.notes},
          {"dropped", calibration.dropped}};
}

Calibration calibration_from_json(const json& value) {
  Calibration calibration;
  calibration.dut = value.at("dut");
  calibration.instrument = value.at("instrument");
  calibration.channel = value.at("channel");
  calibration.effect = value.at("effect");
  calibration.at = UtcTime(Nanoseconds(value.at("utc_ns").get<std::int64_t>()));
  calibration.on = spread_from_json(value.at("on"));
  calibration.off = spread_from_json(value.at("off"));
  calibration.notes = value.at("notes").get<std::vector<std::string>>();
  calibration.dropped = value.at("dropped");
  return calibration;
}

void save_calibration(const Calibration& calibration) { write_record(kKind, name_of(calibration), to_json(calibration).dump(1) + "\n"); }

std::optional<Calibration> find_calibration(const Calibration& key) {
  try {
    const auto text = read_record(kKind, name_of(key));
    if (!text) return std::nullopt;
    auto found = calibration_from_json(json::parse(*text));
    if (found.dut == key.dut && found.instrument == key.instrument && found.channel == key.channel) return found;
  } catch (const json::exception&) {
    // Not whole: timing that is not known, which claims nothing.
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::PermissionDenied) throw;  // another group's bench: as little known
  }
  return std::nullopt;
}

}  // namespace hilcop
