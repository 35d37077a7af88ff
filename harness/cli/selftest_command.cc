// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/run_dir.h"
#include "cli/stop_signals.h"
#include "cli/table.h"
#include "evidence/run_record.h"
#include "fixtures/catalog.h"
#include "selftest/selftest.h"

namespace hilcop {
namespace {

using nlohmann::json;

struct Arguments {
  std::string bench, out;
  std::vector<std::string> duts;
  double wait_s = 0;
  std::uint64_t least_free_mib = 1024;
  bool quick = false, json = false;
};

void print(const json& record) {
  std::vector<std::vector<std::string>> rows;
  int failed = 0, unproved = 0, warned = 0;
  for (const auto& item : record["items"]) {
    const std::string grade = item["grade"];
    failed += grade == "fail", unproved += grade == "not proved", warned += grade == "warning";
    const auto text = [&](const char* key) { return item[key] == "" ? "-" : item[key].get<std::string>(); };
    const auto since = item.contains("since") ? " (not looked at again since " + item["since"].get<std::string>() + ")" : "";
    rows.push_back({grade, text("item"), text("dut"), text("object"), text("text") + since});
  }
  std::fputs(
      table("Self-test of bench " + record["bench"].get<std::string>(), {"RESULT", "ITEM", "DUT", "OBJECT", "WHAT WAS SEEN"}, rows).c_str(),
      stdout);
  std::printf("\n%s: %zu items, %d failed, %d warnings, %d not proved\n", coloured(failed == 0 ? "Pass" : "Fail").c_str(), rows.size(),
              failed, warned, unproved);
  if (failed > 0) std::printf("`hilcop run` refuses these DUTs until a self-test passes\n");
}

json test(const Arguments& arguments) {
  const auto config = load_bench(arguments.bench);
  for (const auto& dut : arguments.duts)
    if (!config.duts.contains(dut)) {
      std::string names;
      for (const auto& [name, other] : config.duts) names += (names.empty() ? "" : ", ") + name;
      throw Error(ErrorKind::Config, "--dut " + dut, "bench '" + config.name + "' has none of that name", "choose one of: " + names);
    }
  SelftestOptions options;
  options.duts = arguments.duts;
  options.ask = !arguments.quick;
  options.least_free = arguments.least_free_mib * 1024 * 1024;
  OpenOptions waiting;
  wait_as_asked(waiting, arguments.wait_s);
  options.wait_until = waiting.wait_until;
  options.on_wait = waiting.on_wait;
  options.on_item = [](const SelftestItem& item) {
    std::fprintf(stderr, "%s: %s%s%s\n", to_string(item.grade).c_str(), item.item.c_str(),
                 item.dut.empty() ? "" : (" of " + item.dut).c_str(), item.object.empty() ? "" : (" (" + item.object + ")").c_str());
  };
  if (arguments.json) options.on_item = nullptr;
  options.out = new_run_dir(arguments.out, config.name + "-selftest");
  const auto items = selftest(config, options, all_drivers());
  auto duts = arguments.duts;
  if (duts.empty())
    for (const auto& [name, dut] : config.duts) duts.push_back(name);
  const auto record = save_selftest(config, duts, items, options.out, arguments.quick);
  write_file(options.out / "selftest.json", record.dump(1) + "\n");
  return record;
}

}  // namespace

void add_selftest(CLI::App& app, int& status) {
  auto a = std::make_shared<Arguments>();
  auto* command = app.add_subcommand(
      "selftest", "test the bench itself: instruments, power, wiring, consoles, clocks, disks; a run refuses what failed");
  add_bench_option(*command, a->bench);
  command->add_option("--dut,-d", a->duts, "a DUT (default: all)")->type_name("DUT");
  command->add_flag("--quick", a->quick, "do not boot each DUT to ask its shell or interpreter");
  command->add_option("--min-free-mib", a->least_free_mib, "how much must be free where evidence goes, in MiB (default: 1024)");
  command->add_option("--out", a->out, "new directory for what was recorded (default: runs/<time>-<bench>-selftest)")->type_name("DIR");
  add_wait_option(*command, a->wait_s);
  command->add_flag("--json", a->json, "as JSON");
  command->callback([a, &status] {
    stop_on_signals();
    const auto record = test(*a);
    if (a->json)
      std::printf("%s\n", record.dump(1, ' ', false, json::error_handler_t::replace).c_str());
    else
      print(record);
    status = record["result"] == "pass" ? 0 : 3;
  });
}

}  // namespace hilcop
