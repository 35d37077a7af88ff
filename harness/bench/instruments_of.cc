// SPDX-License-Identifier: Apache-2.0
#include "bench/config.h"

#include <algorithm>

namespace hilcop {

nlohmann::json instruments_of(const BenchConfig& bench, const DutConfig& dut) {
  auto instruments = nlohmann::json::object();
  const auto note = [&](const std::string& role, const RoleConfig& source) {
    instruments[role] = {
        {"instrument", source.instrument}, {"driver", bench.instruments.at(source.instrument).driver}, {"channel", source.channel}};
  };
  if (dut.power) {
    for (std::size_t i = 0; i < dut.power->poles.size(); ++i)
      note(i == 0 ? "power" : "power pole " + std::to_string(i + 1), dut.power->poles[i].role);
    instruments["power"]["rated_switches"] = dut.power->rated_switches;
  }
  for (const auto& [console, source] : dut.consoles) note("console " + console, source);
  if (dut.reset) note("reset", dut.reset->role);
  if (dut.network) note("network", dut.network->role);
  if (dut.network && dut.network->uplink) note("network uplink", dut.network->uplink->role);
  for (const auto& [button, source] : dut.buttons) note("button " + button, source.role);
  for (const auto& [meter, source] : dut.meters) note("meter " + meter, source);
  for (const auto& [storage, source] : dut.storage) note("storage " + storage, {source.instrument, ""});
  return instruments;
}

bool is_powered_by(const BenchConfig& bench, DriverTable drivers, const DutConfig& dut, const std::string& identity) {
  if (!dut.power) return false;
  return std::any_of(dut.power->poles.begin(), dut.power->poles.end(), [&](const PowerPole& pole) {
    const auto& instrument = bench.instruments.at(pole.role.instrument);
    return find_driver(drivers, instrument.driver)->identity(instrument) == identity;
  });
}

}  // namespace hilcop
