// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "bench/lease_lock.h"
#include "cli/bench_option.h"
#include "cli/net_commands.h"
#include "cli/stop_signals.h"
#include "cli/table.h"
#include "network/process/event_text.h"
#include "network/process/status_door.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr int kNobody = 3;
constexpr Nanoseconds kOfOne = 5s;  // one that hangs is no reason not to hear the others

/// All networks of this user that are up, each as it tells of itself or with why it does not: {"owner", "error"}.
json networks_up() {
  json all = json::array();
  for (const auto& door : status_doors()) {
    try {
      if (auto told = ask_at(door, Deadline::in(kOfOne))) all.push_back(std::move(*told));
    } catch (const Error& error) {
      all.push_back({{"door", door.string()}, {"error", error.to_json()}});
    }
  }
  return all;
}

json state_of_network(const BenchConfig& bench, const std::string& dut, const json& all) {
  const auto holder = lease_holder("dut:" + bench.name + "/" + dut);
  json state{{"dut", dut}, {"held_by", nullptr}, {"network", nullptr}};
  if (holder) state["held_by"] = {{"holder", holder->holder}, {"pid", holder->pid}, {"since", holder->since}};
  for (const auto& network : all)
    if (network.value("bench", "") == bench.name && network.value("dut", "") == dut) state["network"] = network;
  return state;
}

std::string text_of_network(const json& state) {
  const std::string dut = state.at("dut");
  const auto& held_by = state.at("held_by");
  const auto& network = state.at("network");
  const auto holder = held_by.is_null() ? "nobody" : LeaseHolder{held_by.at("holder"), held_by.at("pid"), held_by.at("since")}.text();
  if (network.is_null())
    return dut + (held_by.is_null() ? ": nobody has its network up: `hilcop net up " + dut + "` does\n"
                                    : ": is held by " + holder + ", and its network answers nobody\n");
  std::string text = fmt::format("{}: its network is up since {}\n", dut, network.value("since", "?"));
  text += fmt::format("  {:<14}{}\n  {:<14}{}\n", "held by", holder, "process", network.value("pid", 0));
  return text + network_status_text(network.at("status"));
}

int show_networks(const BenchConfig& bench, const std::string& dut, bool as_json) {
  if (!dut.empty() && !bench.duts.contains(dut)) {
    std::string names;
    for (const auto& [name, config] : bench.duts) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::Config, "dut '" + dut + "'", "is not on this bench", "choose one of: " + names);
  }
  const auto all = networks_up();
  json states = json::array();
  for (const auto& [name, config] : bench.duts)
    if (dut.empty() ? config.network.has_value() : name == dut) states.push_back(state_of_network(bench, name, all));
  bool up = false;
  for (const auto& state : states) up = up || !state.at("network").is_null();
  if (as_json) {
    std::printf("%s\n", json{{"bench", bench.name}, {"duts", states}}.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  } else {
    if (states.empty()) std::printf("no DUT of bench '%s' has a network\n", bench.name.c_str());
    for (const auto& state : states) std::fputs(printable_lines(text_of_network(state)).c_str(), stdout);
  }
  for (const auto& network : all)
    if (network.contains("error")) std::fprintf(stderr, "hilcop: %s\n", printable(Error::from_json(network["error"]).what()).c_str());
  return up ? 0 : kNobody;
}

}  // namespace

void add_net_status(CLI::App& net, int& status) {
  struct Arguments {
    std::string bench, dut;
    bool as_json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* command = net.add_subcommand("status", "how a network is that somebody has up: who, its addresses, leases, counts and failures");
  command->add_option("DUT", arguments->dut, "a DUT of the bench (default: all that have a network)");
  command->add_flag("--json", arguments->as_json, "for programs (harness/network/process/docs/protocol.md)");
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status] {
    stop_on_signals();
    status = show_networks(load_bench(arguments->bench), arguments->dut, arguments->as_json);
  });
}

}  // namespace hilcop
