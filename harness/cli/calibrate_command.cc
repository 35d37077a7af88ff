// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/no_events.h"
#include "cli/stop_signals.h"
#include "cli/table.h"
#include "fixtures/catalog.h"
#include "selftest/calibrate.h"

namespace hilcop {
namespace {

using nlohmann::json;

struct Arguments {
  std::string bench, dut, effect;
  int switchings = 20;
  double wait_s = 0;
  bool json = false;
};

std::string ms(const json& seconds) { return fmt::format("{:.1f} ms", seconds.get<double>() * 1e3); }

std::vector<std::string> row(const char* edge, const json& spread) {
  if (spread.is_null()) return {edge, "not measured", "", "", "", "", "", "", ""};
  return {edge,
          ms(spread["median_s"]),
          ms(spread["mad_s"]),
          ms(spread["p05_s"]),
          ms(spread["p95_s"]),
          ms(spread["least_s"]),
          ms(spread["most_s"]),
          "± " + ms(spread["uncertainty_s"]),
          spread["count"].dump()};
}

void print(const json& found) {
  std::printf("power of %s (%s, channel %s), seen by %s\n", found["dut"].get<std::string>().c_str(),
              found["instrument"].get<std::string>().c_str(), found["channel"].get<std::string>().c_str(),
              found["effect"].get<std::string>().c_str());
  std::fputs(table("From command to effect", {"EDGE", "MEDIAN", "MAD", "5 %", "95 %", "LEAST", "MOST", "KNOWN WITHIN", "SWITCHINGS"},
                   {row("on", found["on"]), row("off", found["off"])})
                 .c_str(),
             stdout);
  for (const auto& note : found["notes"]) std::printf("%s\n", note.get<std::string>().c_str());
  for (const auto& dropped : found["dropped"])
    std::printf("dropped: %s %s: %s\n", dropped["on"] == true ? "on" : "off", dropped["switching"].dump().c_str(),
                dropped["why"].get<std::string>().c_str());
  const auto count = found["switch_count"].get<std::uint64_t>(), rated = found["rated_switches"].get<std::uint64_t>();
  std::printf("switched %llu times so far%s\n", static_cast<unsigned long long>(count),
              rated == 0      ? ""
              : count > rated ? fmt::format(": over the {} that it is made for", rated).c_str()
                              : fmt::format(" of {}", rated).c_str());
}

json measure(const Arguments& arguments) {
  NoEvents nowhere;
  Arrivals arrivals(nowhere);
  OpenOptions options;
  options.duts = {arguments.dut};
  options.holder = "hilcop calibrate";
  wait_as_asked(options, arguments.wait_s);
  auto bench = Bench::open(load_bench(arguments.bench), options, all_drivers(), arrivals);
  auto& dut = bench->dut(arguments.dut);
  dut.power();  // says what to add where there is none
  CalibrateOptions how;
  how.switchings = arguments.switchings;
  if (::isatty(2) != 0) how.progress = [&](int done) { std::fprintf(stderr, "\r\x1b[Kswitching %d of %d", done, arguments.switchings); };
  const auto key = calibration_key(bench->config(), dut.config(), all_drivers());
  json found;
  try {
    const auto effect = choose_effect(arguments.effect, dut, bench->config(), arrivals, "/sys");
    const auto calibration = calibrate(dut, *effect, key, how);
    save_calibration(calibration);
    found = to_json(calibration);
  } catch (const Interrupted&) {
    bench->close();  // says so if an output does not go to its safe state: a destructor tells nobody
    throw;
  }
  if (how.progress) std::fprintf(stderr, "\r\x1b[K");
  found["switch_count"] = bench->switch_count(arguments.dut);
  found["rated_switches"] = dut.config().power->rated_switches;
  bench->close();
  return found;
}

}  // namespace

void add_calibrate(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  auto* command =
      app.add_subcommand("calibrate", "measure how long after its command a DUT's power really goes and comes, and how steadily");
  command->add_option("DUT", arguments->dut, "a DUT of the bench")->required();
  command->add_option("--switchings", arguments->switchings, "how often on and off (default: 20)")->check(CLI::Range(3, 10'000));
  command
      ->add_option(
          "--effect", arguments->effect,
          "what shows the power: console[:NAME], clock (a virtual board's own), link:INTERFACE, usb:PLACE (1-1.2), input:NAME, meter:NAME "
          "(default: clock, else console)")
      ->type_name("EFFECT");
  add_wait_option(*command, arguments->wait_s);
  command->add_flag("--json", arguments->json, "as JSON, times in seconds");
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status] {
    stop_on_signals();
    const auto found = measure(*arguments);
    if (arguments->json)
      std::printf("%s\n", found.dump(1).c_str());
    else
      print(found);
    status = 0;
  });
}

}  // namespace hilcop
