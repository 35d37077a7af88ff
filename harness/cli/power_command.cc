// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "bench/bench.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/no_events.h"
#include "cli/stop_signals.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

struct Arguments {
  std::string bench, dut, action;
  double for_s = 0, wait_s = 0;
  bool json = false;
};

const char* name_of(std::optional<bool> state) { return !state ? "unknown" : *state ? "on" : "off"; }

// Leases are connections: what is switched on here is on as long as this command runs.
void hold(const Arguments& arguments) {
  if (arguments.for_s > 0)
    std::printf("on; held for %g s, then off (Ctrl-C ends it sooner)\n", arguments.for_s);
  else
    std::printf("on; held while this command runs: Ctrl-C switches it off\n");
  std::fflush(stdout);
  try {
    while (true) {
      wait_until(Deadline::in(
          std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(arguments.for_s > 0 ? arguments.for_s : 3600))));
      if (arguments.for_s > 0) return;
    }
  } catch (const Interrupted&) {
    clear_interrupt();
  }
}

void switch_power(const Arguments& arguments) {
  NoEvents sink;
  OpenOptions options;
  options.duts = {arguments.dut};
  options.holder = "hilcop power " + arguments.action;
  wait_as_asked(options, arguments.wait_s);
  auto bench = Bench::open(load_bench(arguments.bench), options, all_drivers(), sink);
  auto& power = bench->dut(arguments.dut).power();
  const auto limit = [] { return Deadline::in(60s); };
  if (arguments.action == "status") {
    const auto state = power.state(limit());
    if (arguments.json)
      std::printf("%s\n", nlohmann::json{{"dut", arguments.dut}, {"on", state ? nlohmann::json(*state) : nlohmann::json()}}.dump().c_str());
    else
      std::printf("%s\n", name_of(state));
  } else if (arguments.action == "off") {
    const auto edge = power.off(nlohmann::json::object(), limit());
    std::printf("off%s%s\n", edge.verified_by.empty() ? "" : ", verified by ", edge.verified_by.c_str());
  } else {
    if (arguments.action == "cycle") power.off(nlohmann::json::object(), limit());
    power.on(limit());
    hold(arguments);
  }
  bench->close();
}

}  // namespace

void add_power(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("power", "switch a DUT's power; an output is held by a process, so `on` runs until Ctrl-C");
  command->add_option("DUT", arguments->dut, "a DUT of the bench")->required();
  command->add_option("ACTION", arguments->action, "on, off, cycle or status")
      ->required()
      ->check(CLI::IsMember({"on", "off", "cycle", "status"}));
  command->add_option("--for", arguments->for_s, "on, cycle: seconds to hold it, then off")->check(CLI::PositiveNumber);
  add_wait_option(*command, arguments->wait_s);
  command->add_flag("--json", arguments->json, "status: as JSON, on: true, false or null (unknown)");
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status] {
    stop_on_signals();
    switch_power(*arguments);
    status = 0;
  });
}

}  // namespace hilcop
