// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/boots_compare.h"
#include "cli/command.h"

namespace hilcop {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMost = 20;  // lines of each kind without --all

struct Arguments {
  std::vector<std::string> runs;
  std::string dut, reference;
  bool json = false, all = false;
};

std::string shown(const fs::path& path) {
  const auto near = path.lexically_proximate(fs::current_path());
  return near.string().starts_with("../..") ? path.string() : near.string();
}

std::string shown(const json& path) { return shown(fs::path(path.get<std::string>())); }

std::string plural(std::size_t count, const std::string& word) { return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s"); }

void print_boots(const json& dut) {
  std::size_t ready = 0;
  for (const auto& boot : dut["boots"]) ready += boot["ending"] == "ready" ? 1 : 0;
  fmt::print("{}: {}, {} of them ready\n", dut["dut"].get<std::string>(), plural(dut["boots"].size(), "boot"), ready);
  for (const auto& boot : dut["boots"]) {
    if (boot["doubt"] == "") continue;
    fmt::print("  boot {:<3} {:<8} {}{}\n", boot["boot"].dump(), boot["ending"].get<std::string>(), boot["doubt"].get<std::string>(),
               dut["several"] == true ? "  (" + shown(boot["run"]) + ")" : "");
  }
}

void print_stages(const json& dut) {
  std::size_t name = 5, run = 3;
  for (const auto& stage : dut["stages"])
    name = std::max(name, stage["stage"].get<std::string>().size()), run = std::max(run, shown(stage["run"]).size());
  const bool several = dut["several"];
  if (!several) run = 0;
  fmt::print("\n  {:<{}}  {:<{}}{}{:>5} {:>9} {:>9} {:>9} {:>9} {:>8}\n", "stage", name, several ? "run" : "", run, several ? "  " : "",
             "boots", "min s", "median s", "max s", "spread s", "limit s");
  for (const auto& stage : dut["stages"]) {
    fmt::print("  {:<{}}  {:<{}}{}{:>5}", stage["stage"].get<std::string>(), name, several ? shown(stage["run"]) : "", run,
               several ? "  " : "", stage["count"].get<int>());
    if (stage["count"] > 0)
      fmt::print(" {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f} {:>8}{}", stage["min_s"].get<double>(), stage["median_s"].get<double>(),
                 stage["max_s"].get<double>(), stage["spread_s"].get<double>(),
                 stage["limit_s"] > 0 ? fmt::format("{:g}", stage["limit_s"].get<double>()) : "-",
                 stage["late"] > 0 ? fmt::format("  LATE in {}", plural(stage["late"].get<std::size_t>(), "boot")) : "");
    fmt::print("\n");
  }
}

void print_lines(const json& lines, const std::string& title, const std::string& count_key, std::size_t most) {
  if (lines.empty()) return fmt::print("\n  {}: none\n", title);
  fmt::print("\n  {}: {}\n", title, lines.size());
  std::size_t shown_lines = 0;
  for (const auto& line : lines) {
    if (shown_lines++ == most) {
      fmt::print("    ... {} more: --all shows them\n", lines.size() - most);
      break;
    }
    fmt::print("    {} {}: {}\n          {} line {}, boot {}{}{}\n", count_key == "missing_in" ? "lacking in" : "in",
               plural(line[count_key].get<std::size_t>(), "boot"), line["text"].get<std::string>(),
               shown(fs::path(line["run"].get<std::string>()) / line["file"].get<std::string>()), line["line"].dump(), line["boot"].dump(),
               line["at_s"].is_null() ? "" : fmt::format(", {:.3f} s after power-on", line["at_s"].get<double>()),
               line.value("more_often", false)   ? "; the reference has it only once a boot"
               : line.value("less_often", false) ? "; the reference repeats it, the others have it once"
                                                 : "");
  }
}

void print(const json& comparison, bool all) {
  const bool several = comparison["runs"].size() > 1;
  bool first = true;
  for (auto dut : comparison["duts"]) {
    dut["several"] = several;
    if (!std::exchange(first, false)) fmt::print("\n");
    print_boots(dut);
    print_stages(dut);
    for (const auto& run : dut["unjudged"])
      fmt::print("\n  not judged: {} has {} without a doubt\n", shown(run), several ? "no boot" : "fewer than two boots");
    if (dut["reference_boots"] == 0) continue;
    fmt::print("\n  reference: {} of {}: {}, {} learned as noise\n", plural(dut["reference_boots"].get<std::size_t>(), "boot"),
               shown(dut["reference"]), plural(dut["reference_lines"].get<std::size_t>(), "line"),
               plural(dut["learned"].get<std::size_t>(), "number"));
    const std::size_t most = all ? SIZE_MAX : kMost;
    print_lines(dut["new"], several ? "new lines" : "lines that no complete boot has", "in_boots", most);
    print_lines(dut["missing"], several ? "missing lines" : "lines that not every complete boot has", "missing_in", most);
  }
}

std::vector<fs::path> paths_of(const Arguments& arguments) {
  std::vector<fs::path> runs;
  const auto add = [&](const std::string& name, bool front) {
    fs::path path = fs::absolute(name).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    if (!fs::is_directory(path))
      throw Error(ErrorKind::NotFound, "run " + name, "there is no such directory", "name a directory that hilcop run made");
    if (std::find(runs.begin(), runs.end(), path) == runs.end()) runs.insert(front ? runs.begin() : runs.end(), path);
  };
  if (!arguments.reference.empty()) add(arguments.reference, true);
  for (const auto& run : arguments.runs) add(run, false);
  return runs;
}

}  // namespace

void add_boots(CLI::App& app, int& status) {
  auto a = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("boots", "compare boots within a run and between runs: stage times, lines new and missing");
  command->add_option("RUN", a->runs, "run directories; that of a run that was killed will do")->required();
  command->add_option("--dut,-d", a->dut, "boots of this DUT alone (default: all)");
  command->add_option("--reference", a->reference, "run that the others are held against (default: the first RUN)");
  command->add_flag("--json", a->json, "the comparison as JSON");
  command->add_flag("--all", a->all, "every line that differs, not the first 20 of a kind");
  command->footer("Exit status: 0 no line is new or missing, 1 some are, 2 usage, 3 evidence that cannot be read or judged.");
  command->callback([a, &status] {
    const auto runs = paths_of(*a);
    const auto comparison = compare_boots(runs, runs.front(), a->dut);
    if (a->json)
      std::printf("%s\n", comparison.dump(1, ' ', false, json::error_handler_t::replace).c_str());
    else
      print(comparison, a->all);
    status = differs(comparison) ? 1 : 0;
    for (const auto& dut : comparison["duts"])
      if (!dut["unjudged"].empty() && status == 0) status = 3;
  });
}

}  // namespace hilcop
