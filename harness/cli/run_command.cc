// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "bench/selftest_record.h"
#include "cli/bench_option.h"
#include "cli/boots_compare.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/run_dir.h"
#include "cli/stop_signals.h"
#include "compliance/verdict.h"
#include "evidence/run_record.h"
#include "io/line_faults.h"
#include "report/report.h"
#include "run/supervisor.h"

namespace hilcop {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> scenarios, duts, paths;
  std::string bench, effort = "test", out, faults;
  std::uint64_t seed = 1;
  double wait_s = 0;
  bool json = false, without_selftest = false;
};

RunOptions prepare(const Arguments& arguments) {
  const auto config = load_bench(arguments.bench);
  RunOptions options;
  options.bench = fs::absolute(config.file);
  options.boards_dir = boards_dir_of(config.file);
  options.duts = arguments.duts;
  for (const auto& dut : options.duts)
    if (!config.duts.contains(dut)) {
      std::string names;
      for (const auto& [name, other] : config.duts) names += (names.empty() ? "" : ", ") + name;
      throw Error(ErrorKind::Config, "--dut " + dut, "bench '" + config.name + "' has none of that name", "choose one of: " + names);
    }
  if (options.duts.empty()) options.duts.push_back(config.duts.begin()->first);
  if (!arguments.without_selftest) require_selftest(config, options.duts, "--without-selftest: then nothing passes or fails");
  options.effort = arguments.effort;
  options.seed = arguments.seed;
  options.wait_s = arguments.wait_s;
  if (!arguments.faults.empty()) parse_line_faults(arguments.faults);  // before anything is switched
  options.faults = arguments.faults;
  options.python = python_settings();
  for (const auto& path : arguments.paths) options.scenario_paths.push_back(fs::absolute(path));
  for (const auto& name : arguments.scenarios)
    if (name.ends_with(".py")) options.scenario_paths.push_back(fs::absolute(name));
  for (const auto& path : options.scenario_paths)
    if (!fs::exists(path))
      throw Error(ErrorKind::Config, "scenarios " + path.string(), "there is no such file or folder",
                  "see --scenarios in `hilcop run --help`");
  if (options.scenario_paths.empty() || arguments.paths.empty()) options.scenario_paths.push_back(project_dir() / "scenarios");
  options.scenarios = choose_scenarios(list_scenarios(options.python, options.scenario_paths), arguments.scenarios);
  options.run_dir = new_run_dir(arguments.out, config.name);
  return options;
}

void write_reports(const json& record, const fs::path& run_dir) {
  write_file(run_dir / "run.json", record.dump(1) + "\n");
  write_file(run_dir / "junit.xml", junit_xml(record));
  write_file(run_dir / "report.html", report_html(record, run_dir));
  write_manifest(run_dir);
}

// A worker that did everything and then could not close its bench, or not write its last events.
std::optional<Error> worker_trouble(const json& record) {
  for (const auto& incident : record["incidents"])
    if (incident.value("reason", "") == "end" && incident.value("status", json()) != 0)
      return Error(ErrorKind::Protocol, "worker of dut " + incident.value("dut", "?"), "did not end as it should",
                   "see worker-" + incident.value("dut", "?") + ".out, and whether the power is off");
  return std::nullopt;
}

int summarise(const json& record, const fs::path& run_dir, bool as_json) {
  std::vector<Verdict> verdicts;
  for (const auto& scenario : record["scenarios"])
    verdicts.push_back(verdict_from_string(scenario["verdict"].get<std::string>()).value_or(Verdict::Error));
  if (as_json) {
    std::printf("%s\n", record.dump(1).c_str());
    return exit_status(verdicts);
  }
  std::set<std::string> notes;
  std::printf("\n");
  for (const auto& scenario : record["scenarios"]) {
    std::printf("%s  %s on %s\n", coloured(scenario["verdict"]).c_str(), scenario["id"].get<std::string>().c_str(),
                scenario["dut"].get<std::string>().c_str());
    if (!scenario["error"].is_null())
      std::printf("    %s: %s; %s\n", scenario["error"].value("object", "").c_str(), scenario["error"].value("cause", "").c_str(),
                  scenario["error"].value("remedy", "").c_str());
    if (const auto reason = scenario.value("reason", ""); !reason.empty()) std::printf("    %s\n", reason.c_str());
    for (const auto& check : scenario["checks"]) {
      const auto reason = check["reason"].get<std::string>();
      std::string why = reason.empty() ? check["observed"].get<std::string>() : reason;
      std::replace(why.begin(), why.end(), '\n', ' ');  // a line each; the report has it as it was
      std::printf("    %-13s %s: %s\n", check["verdict"].get<std::string>().c_str(), check["name"].get<std::string>().c_str(), why.c_str());
      for (const auto& entry : check["evidence"])
        if (entry.contains("line"))
          std::printf("                  see %s line %s\n",
                      (run_dir / entry["log"].get<std::string>()).lexically_proximate(fs::current_path()).c_str(),
                      entry["line"].dump().c_str());
    }
  }
  for (const auto& bench : record["benches"])
    for (const auto& [name, dut] : bench["duts"].items())
      if (const auto selftest = dut.value("selftest", json::object()); selftest.value("state", "none") != "passed")
        notes.insert(fmt::format("self-test of {}: {}", name, selftest.value("text", "none")));
  std::printf("\n");
  for (const auto& note : notes) std::printf("%s\n", note.c_str());
  std::printf("report   %s\n", (run_dir / "report.html").lexically_proximate(fs::current_path()).c_str());
  return exit_status(verdicts);
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  auto a = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("run", "run scenarios on DUTs of a bench and judge what they do");
  command->add_option("SCENARIO", a->scenarios, "ids, globs or .py files (default: all)");
  add_bench_option(*command, a->bench);
  command->add_option("--dut,-d", a->duts, "a DUT; several run side by side (default: the first)")->type_name("DUT");
  command->add_option("--effort", a->effort, "how much: demo, test or standard")->check(CLI::IsMember({"demo", "test", "standard"}));
  command->add_option("--seed", a->seed, "the same seed gives the same plan");
  command->add_option("--out", a->out, "new directory for the evidence (default: runs/<time>-<bench>)")->type_name("DIR");
  command->add_option("--scenarios", a->paths, "files or folders with scenarios (default: scenarios/)")->type_name("PATH");
  add_wait_option(*command, a->wait_s);
  command->add_flag("--without-selftest", a->without_selftest,
                    "run although the bench's self-test failed, or is required and was not made: nothing passes or fails then");
  command->add_option(
      "--faults", a->faults,
      "make the consoles faulty on purpose, to test a scenario: drop_every=5000,stall_every=20000,seed=3; nothing passes then");
  command->add_flag("--json", a->json, "the run record as JSON");
  command->callback([a, &status] {
    auto options = prepare(*a);
    stop_on_signals();
    bool interrupted = false;
    std::optional<Error> trouble;
    {
      Progress progress(a->json, !a->faults.empty());
      options.progress = [&](const json& event) { progress.take(event); };
      try {
        supervise(options);
      } catch (const Interrupted&) {
        interrupted = true;
        clear_interrupt();
      } catch (const Error& error) {
        trouble = error;  // a full disk: what is known is still said
      }
    }
    auto record = make_run_record(options.run_dir);
    record["boot_lines"] = boot_lines(options.run_dir);
    try {
      write_reports(record, options.run_dir);
    } catch (const Error& error) {
      trouble = error;
    }
    status = summarise(record, options.run_dir, a->json);
    if (!trouble) trouble = worker_trouble(record);
    if (trouble) {
      std::fprintf(stderr, "hilcop: %s\n", trouble->what());
      if (status == 0) status = 3;
    }
    if (interrupted) {
      std::fprintf(stderr, "hilcop: interrupted; what was done by then is recorded\n");
      if (status != 1) status = 3;  // a Fail stands
    }
  });
}

}  // namespace hilcop
