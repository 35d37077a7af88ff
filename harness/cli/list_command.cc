// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <CLI/CLI.hpp>

#include "bench/lease_lock.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "fixtures/catalog.h"
#include "run/supervisor.h"

namespace hilcop {
namespace {

using nlohmann::json;

// What the keeper holds, without starting one: if none runs, nothing is held.
json keeper_status() {
  try {
    KeeperClient::Options options;
    options.start_on_demand = false;
    return KeeperClient::connect(options, Deadline::in(2s))->status(Deadline::in(2s));
  } catch (const Error&) {
    return json::array();
  }
}

json collect(const BenchConfig& bench) {
  json all{{"bench", bench.name},      {"file", bench.file.string()}, {"duts", json::array()},  {"instruments", json::array()},
           {"drivers", json::array()}, {"scenarios", json::array()},  {"held", keeper_status()}};
  for (const auto& [name, dut] : bench.duts) {
    const auto holder = lease_holder("dut:" + bench.name + "/" + name);
    json stages = json::array();
    for (const auto& stage : dut.board.boot_stages) stages.push_back(stage.name);
    all["duts"].push_back({{"name", name},
                           {"board", dut.board.name},
                           {"serial_number", dut.serial_number},
                           {"boot_stages", stages},
                           {"held_by", holder ? json(holder->text()) : json()}});
  }
  for (const auto& [name, instrument] : bench.instruments) all["instruments"].push_back({{"name", name}, {"driver", instrument.driver}});
  for (const auto* driver : all_drivers()) all["drivers"].push_back({{"name", driver->name}, {"summary", driver->summary}});
  for (const auto& scenario : list_scenarios(python_settings(), {project_dir() / "scenarios"}))
    all["scenarios"].push_back({{"id", scenario.id}, {"title", scenario.title}, {"clauses", scenario.clauses}});
  return all;
}

std::string text(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void print(const json& all) {
  std::printf("bench %s (%s)\n\nDUTs\n", text(all["bench"]).c_str(), text(all["file"]).c_str());
  for (const auto& dut : all["duts"])
    std::printf("  %-12s %s, serial number %s: %s\n", text(dut["name"]).c_str(), text(dut["board"]).c_str(),
                text(dut["serial_number"]).c_str(), dut["held_by"].is_null() ? "free" : ("held by " + text(dut["held_by"])).c_str());
  std::printf("\nInstruments\n");
  for (const auto& instrument : all["instruments"])
    std::printf("  %-12s %s\n", text(instrument["name"]).c_str(), text(instrument["driver"]).c_str());
  for (const auto& held : all["held"])
    if (!held["on"].is_null())
      std::printf("  held: %s %s is %s, switched %s times\n", text(held["instrument"]).c_str(), text(held["channel"]).c_str(),
                  held["on"] == true ? "on" : "off", text(held["switch_count"]).c_str());
  std::printf("\nDrivers\n");
  for (const auto& driver : all["drivers"]) std::printf("  %-12s %s\n", text(driver["name"]).c_str(), text(driver["summary"]).c_str());
  std::printf("\nScenarios\n");
  for (const auto& scenario : all["scenarios"]) std::printf("  %-18s %s\n", text(scenario["id"]).c_str(), text(scenario["title"]).c_str());
}

}  // namespace

void add_list(CLI::App& app, int& status) {
  struct Arguments {
    std::string bench;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("list", "DUTs, instruments, drivers and scenarios, and who holds what");
  add_bench_option(*command, arguments->bench);
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &status] {
    const auto all = collect(load_bench(arguments->bench));
    if (arguments->json)
      std::printf("%s\n", all.dump(1).c_str());
    else
      print(all);
    status = 0;
  });
}

}  // namespace hilcop
