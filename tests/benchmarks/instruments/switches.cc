// SPDX-License-Identifier: Apache-2.0
// What a driver adds to a switching: on, off, each with its read-back, against a client that only sends the same bytes and waits for
// as many as came (network), or against the time of the bytes at the line's speed (serial). Prints a JSON object for each driver.
//   bench_switches ROUNDS SWITCHES_EACH
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "contract/rig.h"
#include "instruments/wire.h"

using namespace hilcop;
using nlohmann::json;

namespace {

constexpr double kBitsOfAByte = 10;  // 8N1

double seconds_of(const std::function<void()>& action) {
  const auto begin = real_clock().now();
  action();
  return std::chrono::duration<double>(real_clock().now() - begin).count();
}

void switch_it(Instrument& instrument, const std::string& channel, bool on) {
  const auto result = instrument.set(channel, on, json::object(), Deadline::in(10s));
  if (result.read_back && *result.read_back != on) throw std::runtime_error("it did not switch");
}

struct Wire {
  WireKind kind;
  int port = 0;
  std::string serial_port;
};

std::optional<Wire> wire_of(const std::string& driver, const json& config) {
  if (driver == "serial-lines") return std::nullopt;  // its lines are no bytes
  if (config.contains("host")) return Wire{driver == "snmp-pdu" ? WireKind::Udp : WireKind::Tcp, config.at("port"), ""};
  if (config.contains("port")) return Wire{WireKind::Serial, 0, config.at("port")};
  return std::nullopt;
}

// What one on and one off are on the wire.
WireScript script_of(const std::string& driver, const InstrumentRig& rig, const Wire& wire) {
  WireTap tap(wire.kind, wire.port, wire.serial_port);
  auto config = rig.config();
  config["port"] = wire.kind == WireKind::Serial ? json(tap.serial_port()) : json(tap.port());
  const auto instrument = driver_of(driver).open(full_config(driver, config), {});
  for (const bool on : {true, false}) switch_it(*instrument, rig.output(), on);
  tap.take();
  for (const bool on : {true, false}) switch_it(*instrument, rig.output(), on);
  return tap.take();
}

json measured(const std::string& driver, InstrumentRig& rig, const Wire& wire, int rounds, int switches) {
  const auto script = script_of(driver, rig, wire);
  const auto full = full_config(driver, rig.config());
  const auto instrument = driver_of(driver).open(full, {});
  json found{{"driver", driver}, {"bytes", bytes_of(script) / 2}, {"switch_s", json::array()}, {"wire_s", json::array()}};
  std::optional<BareClient> bare;
  if (wire.kind != WireKind::Serial) bare.emplace(wire.kind, wire.port);
  for (int round = 0; round < rounds; ++round) {
    const auto ours = seconds_of([&] {
      for (int n = 0; n < switches; ++n) switch_it(*instrument, rig.output(), n % 2 == 0);
    });
    found["switch_s"].push_back(ours / switches);
    double wire_s = 0;
    if (bare) {
      wire_s = seconds_of([&] {
                 for (int n = 0; n < switches / 2; ++n) bare->play(script);
               }) /
               switches;
    } else {
      wire_s = static_cast<double>(bytes_of(script)) / 2 * kBitsOfAByte / full.config.at("baud").get<double>();
      found["line"] = full.config.at("baud");
    }
    found["wire_s"].push_back(wire_s);
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("see its source for its arguments\n", stderr), 2;
  for (const auto& entry : instrument_rigs()) {
    try {
      const auto rig = entry.make();
      rig->behave(Behaviour::Sound);
      if (const auto wire = wire_of(entry.driver, rig->config()))
        std::printf("%s\n", measured(entry.driver, *rig, *wire, std::atoi(argv[1]), std::atoi(argv[2])).dump().c_str());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bench_switches: %s: %s\n", entry.driver.c_str(), error.what());
      return 1;
    }
  }
}
