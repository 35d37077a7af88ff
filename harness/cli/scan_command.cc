// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "bench/bench.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/no_events.h"
#include "cli/port_ranges.h"
#include "cli/stop_signals.h"
#include "cli/table.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr double kAddressWithin = 60;      // seconds
constexpr Nanoseconds kToEnd = 10s;        // beyond its own time
constexpr Nanoseconds kLookEvery = 200ms;  // whether it has an address
constexpr int kNotKnown = 3;

struct Arguments {
  std::string bench, dut, ports, address;
  double wait_s = 0, seconds = 600, rate = 1000;
  bool power = false, no_udp = false, as_json = false;
};

std::string address_of(NetworkPort& network, const std::string& dut) {
  for (const auto until = Deadline::in(Nanoseconds(static_cast<std::int64_t>(kAddressWithin * 1e9)));;) {
    const auto leases = network.ask("status", json::object(), Deadline::in(10s)).at("services").at("leases");
    if (leases.size() > 1)
      throw Error(ErrorKind::Config, "network of dut '" + dut + "'",
                  fmt::format("{} hosts took addresses there: {}", leases.size(), leases.dump()), "say which is meant: --address");
    if (!leases.empty()) return leases.begin()->get<std::string>();
    if (until.expired())
      throw Error(ErrorKind::Timeout, "network of dut '" + dut + "'", fmt::format("the device took no address in {:g} s", kAddressWithin),
                  "see whether it has power (--power) and asks by DHCP, or give --address");
    wait_until(until.at_most(kLookEvery));
  }
}

void show(const json& tcp, const json& udp) {
  const auto& heartbeat = tcp.at("heartbeat");
  std::printf("TCP of %s: %zu open, %llu closed, %llu filtered, %llu not known; %.1f s, %llu probes\n",
              tcp.at("address").get<std::string>().c_str(), tcp.at("open").size(), tcp.at("closed").get<unsigned long long>(),
              tcp.at("filtered_count").get<unsigned long long>(), tcp.at("not_known_count").get<unsigned long long>(),
              tcp.at("took_s").get<double>(), tcp.at("probes").get<unsigned long long>());
  for (const auto& port : tcp.at("open"))
    std::printf("  %5d open%s\n", port.at("port").get<int>(), port.at("confirmed").get<bool>() ? "" : ", but not when it was asked again");
  if (!heartbeat.at("kind").is_null())
    std::printf("heartbeat by %s: %llu beats, %llu missed, median %.0f ms, worst %.0f ms; slowed to %.0f a second, held for %.1f s\n",
                heartbeat.at("kind").get<std::string>().c_str(), heartbeat.at("beats").get<unsigned long long>(),
                heartbeat.at("missed").get<unsigned long long>(), heartbeat.at("median_s").get<double>() * 1e3,
                heartbeat.at("worst_s").get<double>() * 1e3, heartbeat.at("slowest_rate").get<double>(),
                heartbeat.at("held_s").get<double>());
  if (!tcp.at("incomplete").is_null()) std::printf("not complete: %s\n", tcp.at("incomplete").get<std::string>().c_str());
  if (udp.is_null()) return;
  std::size_t answered = 0;
  for (const auto& port : udp.at("ports")) answered += port.at("state") == "answered";
  std::printf("UDP: %zu of %zu services answered%s\n", answered, udp.at("ports").size(),
              udp.at("complete").get<bool>() ? "; silence proves nothing" : "; not complete");
  for (const auto& port : udp.at("ports"))
    if (port.at("state") == "answered")
      std::printf("  %5d %s, %llu bytes\n", port.at("port").get<int>(), printable(port.at("service").get<std::string>()).c_str(),
                  port.at("answer_bytes").get<unsigned long long>());
}

/// A device that still boots has not opened all that it will: false, and said.
bool start(Dut& dut) {
  dut.power().on(Deadline::in(60s));
  const auto& stages = dut.config().board.boot_stages;
  if (stages.empty()) {
    std::fprintf(stderr, "board '%s' says no boot_stages: what opens later than now is not seen\n", dut.config().board.name.c_str());
    return false;
  }
  const auto boot = dut.boot_to(stages.back().name, Deadline::in(120s));
  if (!boot.complete)
    std::fprintf(stderr, "%s is not ready (%s): what opens later is not seen\n", dut.config().name.c_str(), boot.missing.c_str());
  return boot.complete;
}

int scan(Dut& dut, const Arguments& arguments) {
  auto& network = dut.network();
  const json ports = ports_of(arguments.ports);
  const bool ready = !arguments.power || start(dut);
  const auto address = arguments.address.empty() ? address_of(network, arguments.dut) : arguments.address;
  const auto limit = Deadline::in(Nanoseconds(static_cast<std::int64_t>(arguments.seconds * 1e9)) + kToEnd);
  const json how{{"address", address}, {"ports", ports}, {"rate", arguments.rate}, {"limit_s", arguments.seconds}};
  std::fprintf(stderr, "scanning %s of %s\n", address.c_str(), arguments.dut.c_str());
  const auto tcp = network.change("scan.tcp", how, limit);
  json udp;
  if (!arguments.no_udp) udp = network.change("scan.udp", {{"address", address}}, Deadline::in(90s));
  if (arguments.as_json)
    std::printf("%s\n", json{{"tcp", tcp}, {"udp", udp}, {"ready", ready}}.dump().c_str());
  else
    show(tcp, udp);
  const bool whole = ready && tcp.at("incomplete").is_null() && (udp.is_null() || udp.at("complete").get<bool>());
  return whole ? 0 : kNotKnown;
}

}  // namespace

void add_scan(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("scan", "which ports of a DUT on the bench's network are open: all of TCP, known services of UDP");
  command->add_option("DUT", arguments->dut, "a DUT of the bench")->required();
  command->add_flag("--power", arguments->power, "switch the power on first");
  command->add_option("--ports", arguments->ports, "of TCP, as 22,80,8000-8100 (default: all)")->type_name("PORTS");
  command->add_option("--address", arguments->address, "default: what the device was given by DHCP");
  command->add_option("--rate", arguments->rate, "connections a second at most; slower where the device suffers")
      ->check(CLI::Range(10, 50'000));
  command->add_option("--seconds", arguments->seconds, "end after so long, with what is known")->check(CLI::Range(1, 36'000));
  command->add_flag("--no-udp", arguments->no_udp, "TCP alone");
  command->add_flag("--json", arguments->as_json, "for programs (harness/network/process/docs/protocol.md)");
  add_wait_option(*command, arguments->wait_s);
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status] {
    stop_on_signals();
    NoEvents sink;
    OpenOptions options;
    options.duts = {arguments->dut};
    options.holder = "hilcop scan";
    wait_as_asked(options, arguments->wait_s);
    auto bench = Bench::open(load_bench(arguments->bench), options, all_drivers(), sink);
    status = scan(bench->dut(arguments->dut), *arguments);
    bench->close();
  });
}

}  // namespace hilcop
