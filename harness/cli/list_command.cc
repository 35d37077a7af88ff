// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/bench_option.h"
#include "cli/bench_state.h"
#include "cli/command.h"
#include "cli/table.h"
#include "fixtures/catalog.h"
#include "run/supervisor.h"

namespace hilcop {
namespace {

using nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

json collect(const BenchConfig& bench) {
  json all = bench_state(bench, all_drivers());
  all["drivers"] = json::array();
  all["scenarios"] = json::array();
  for (const auto* driver : all_drivers())
    all["drivers"].push_back({{"name", driver->name}, {"summary", driver->summary}, {"unverified", driver->unverified}});
  for (const auto& scenario : list_scenarios(python_settings(), {project_dir() / "scenarios"}))
    all["scenarios"].push_back({{"id", scenario.id}, {"title", scenario.title}, {"clauses", scenario.clauses}});
  return all;
}

std::string text(const json& value) { return value.is_string() ? value.get<std::string>() : value.is_null() ? "-" : value.dump(); }

std::string joined(const json& list) {
  std::string all;
  for (const auto& one : list) all += (all.empty() ? "" : ", ") + text(one);
  return all.empty() ? "-" : all;
}

std::string holder(const json& held_by) {
  if (held_by.is_null()) return "nobody";
  auto since = text(held_by["since"]);
  if (const auto fraction = since.find('.'); fraction != std::string::npos) since = since.substr(0, fraction) + "Z";
  return fmt::format("{}, pid {}, since {}", text(held_by["holder"]), text(held_by["pid"]), since);
}

std::string state_of(const json& channel) {
  std::string state = channel["on"].is_null() ? "unknown" : channel["on"] == true ? "on" : "off";
  if (channel.value("waits_to_switch_on", false)) state += ", waits to be switched on";
  if (channel.value("given_back", false)) state += ", on its way to its safe state";
  if (!channel.contains("held_by") && channel.value("away_from_safe_state", false)) state += ", NOT at its safe state";
  return state;
}

std::string power_of(const json& power) {
  if (power.is_null()) return "-";
  return text(power["state"]) + (power["waits_to_switch_on"] == true ? ", waits to be switched on" : "");
}

std::string timing_of(const json& timing) {
  if (timing.is_null()) return "not calibrated";
  const auto& off = timing["off"];
  return (off.is_null() ? "off not measured" : fmt::format("off known within {:.1f} ms", off["uncertainty_s"].get<double>() * 1e3)) + ", " +
         text(timing["utc"]).substr(0, 10);
}

std::string wear_of(const json& power) {
  const auto rated = power["rated_switches"].get<std::uint64_t>();
  if (power["switch_count"].is_null()) return rated == 0 ? "-" : fmt::format("? of {}", rated);
  const auto count = power["switch_count"].get<std::uint64_t>();
  return rated == 0 ? fmt::format("{}", count) : fmt::format("{} of {}{}", count, rated, count > rated ? ": WORN" : "");
}

std::string presence(const json& instrument) {
  if (instrument.contains("held_by")) return instrument["held_by"].is_null() ? "not in use" : "in use by " + holder(instrument["held_by"]);
  if (!instrument.contains("there")) {
    const auto& channels = instrument["channels"];
    const bool used = std::any_of(channels.begin(), channels.end(), [](const json& channel) { return channel.contains("held_by"); });
    return used ? "in use" : "not in use";
  }
  if (instrument["there"] == false) return "is not there: " + text(instrument["problem"]);
  if (instrument["problem"] != "") return text(instrument["problem"]);
  return instrument["open_by"] == "" ? "is there, not open" : "open in " + text(instrument["open_by"]);
}

Rows channel_rows(const json& channels, const std::string& instrument) {
  Rows rows;
  for (const auto& channel : channels)
    rows.push_back({instrument.empty() ? text(channel["instrument"]) : instrument, text(channel["channel"]), state_of(channel),
                    text(channel["switch_count"]), text(channel.value("waiting", json(0))), holder(channel.value("held_by", json()))});
  return rows;
}

void print(const json& all) {
  Rows duts, power, consoles, supplies, instruments, channels, drivers, scenarios;
  json elsewhere = all["held"];
  for (const auto& dut : all["duts"])
    duts.push_back({text(dut["name"]), text(dut["board"]), dut["serial_number"] == "" ? "-" : text(dut["serial_number"]),
                    power_of(dut["power"]), text(dut["supply"]), holder(dut["held_by"])});
  for (const auto& dut : all["duts"])
    if (const auto& port = dut["power"]; !port.is_null())
      power.push_back({text(dut["name"]), text(port["instrument"]), text(port["channel"]), wear_of(port), timing_of(dut["power_timing"]),
                       text(dut["selftest"]["text"])});
  for (const auto& console : all["consoles"])
    consoles.push_back(
        {text(console["dut"]), text(console["name"]), text(console["instrument"]), text(console["channel"]), holder(console["held_by"])});
  for (const auto& supply : all["supplies"])
    supplies.push_back({text(supply["name"]), fmt::format("{:g} ms", supply["stagger_ms"].get<double>()), joined(supply["duts"]),
                        joined(supply["waiting"])});
  for (const auto& instrument : all["instruments"]) {
    instruments.push_back({text(instrument["name"]), text(instrument["driver"]), text(instrument["identity"]), presence(instrument)});
    for (auto& row : channel_rows(instrument["channels"], text(instrument["name"]))) channels.push_back(std::move(row));
    for (auto it = elsewhere.begin(); it != elsewhere.end();)
      it = (*it)["instrument"] == instrument["identity"] ? elsewhere.erase(it) : it + 1;
  }
  std::map<std::string, std::string> doubts;
  for (const auto& driver : all["drivers"]) {
    doubts[driver["name"]] = driver["unverified"] == "" ? "" : "unverified: " + text(driver["unverified"]);
    drivers.push_back({text(driver["name"]), driver["unverified"] == "" ? "verified" : "unverified", text(driver["summary"])});
  }
  for (auto& row : instruments) row.push_back(doubts[row[1]]);
  for (const auto& scenario : all["scenarios"])
    scenarios.push_back({text(scenario["id"]), text(scenario["title"]), joined(scenario["clauses"])});
  const std::vector<std::string> channel_columns{"INSTRUMENT", "CHANNEL", "STATE", "SWITCHED", "WAITING", "HELD BY"};
  std::printf("bench %s (%s); the keeper %s\n", text(all["bench"]).c_str(),
              std::filesystem::path(text(all["file"])).lexically_proximate(std::filesystem::current_path()).c_str(),
              text(all["keeper"]).c_str());
  for (const auto& part :
       {table("DUTs", {"NAME", "BOARD", "SERIAL NUMBER", "POWER", "SUPPLY", "HELD BY"}, duts),
        table("Power", {"DUT", "INSTRUMENT", "CHANNEL", "SWITCHED", "TIMING", "SELF-TEST"}, power),
        table("Consoles", {"DUT", "NAME", "INSTRUMENT", "CHANNEL", "HELD BY"}, consoles),
        table("Supplies", {"NAME", "STAGGER", "DUTS", "WAITING"}, supplies),
        table("Instruments", {"NAME", "DRIVER", "IDENTITY", "STATE", "NOTE"}, instruments),
        table("Channels that the keeper knows", channel_columns, channels),
        table("Channels of other benches", channel_columns, channel_rows(elsewhere, "")),
        table("Drivers", {"NAME", "SEEN WORKING", "WHAT"}, drivers), table("Scenarios", {"ID", "TITLE", "CLAUSES"}, scenarios)})
    std::fputs(part.c_str(), stdout);
}

}  // namespace

void add_list(CLI::App& app, int& status) {
  struct Arguments {
    std::string bench;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("list", "everything on the bench with its state, who holds it since when; and the scenarios");
  add_bench_option(*command, arguments->bench);
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &status] {
    const auto all = collect(load_bench(arguments->bench));
    if (arguments->json)
      std::printf("%s\n", all.dump(1, ' ', false, json::error_handler_t::replace).c_str());
    else
      print(all);
    status = 0;
  });
}

}  // namespace hilcop
