// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/flash_line.h"
#include "cli/stop_signals.h"
#include "evidence/timeline.h"
#include "fixtures/catalog.h"
#include "flash/flash.h"

namespace hilcop {
namespace {

// Verified is 0; what is written and cannot be verified is 3, "not judged", unless that is accepted.
constexpr int kNotVerified = 3;

struct Arguments {
  std::string bench, dut, part, file, record;
  double timeout_s = 0, wait_s = 0;
  bool json = false, accept_unverified = false;
};

int report(const Arguments& arguments, const FlashResult& result, bool is_dump) {
  const bool verified = !result.verified_by.empty();
  if (arguments.json)
    std::printf("%s\n", to_json(result).dump().c_str());
  else
    std::printf("%s\n", fmt::format("{} {}: {} bytes in {:.1f} s by {}, SHA-256 {}, {}", result.part, is_dump ? "read" : "written",
                                    result.bytes, std::chrono::duration<double>(result.elapsed).count(), result.route, result.sha256,
                                    verified ? "verified: " + result.verified_by : "NOT VERIFIED: " + result.unverified_why)
                            .c_str());
  return verified || arguments.accept_unverified ? 0 : kNotVerified;
}

int carry_out(const Arguments& arguments, bool is_dump) {
  const std::filesystem::path record = arguments.record;
  if (!record.empty()) std::filesystem::create_directories(record / "timeline");
  const std::string writer = is_dump ? "dump" : "flash";
  const auto timeline = Timeline::open({record.empty() ? "" : record / "timeline" / (writer + ".ndjson"), "", writer});
  OpenOptions options;
  options.duts = {arguments.dut};
  options.holder = "hilcop " + writer;
  if (!record.empty()) options.record_dir = record / "console";
  wait_as_asked(options, arguments.wait_s);
  auto bench = Bench::open(load_bench(arguments.bench), options, all_drivers(), *timeline);
  FlashRequest request;
  request.part = arguments.part;
  request.file = arguments.file;
  if (arguments.timeout_s > 0)
    request.timeout = std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(arguments.timeout_s));
  FlashResult result;
  {
    FlashLine line;
    request.progress = [&line](const FlashProgress& progress) { line.take(progress); };
    auto& dut = bench->dut(arguments.dut);
    try {
      result = is_dump ? dump(dut, request) : flash(dut, request);
    } catch (const Interrupted&) {
      bench->close();  // says so if an output does not go to its safe state: a destructor tells nobody
      throw;
    }
  }
  bench->close();
  timeline->check();
  return report(arguments, result, is_dump);
}

void add(CLI::App& app, int& status, bool is_dump) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand(is_dump ? "dump" : "flash", is_dump ? "read a part of a DUT into a file, as its board file says"
                                                                         : "write an image to a DUT and verify it, as its board file says");
  command->add_option("DUT", arguments->dut, "a DUT of the bench")->required();
  if (is_dump)
    command->add_option("--out", arguments->file, "the file; it is there whole or not at all")->required()->type_name("FILE");
  else
    command->add_option("--image", arguments->file, "the image (default: the board's)")->type_name("FILE");
  command
      ->add_option("--part", arguments->part,
                   is_dump ? "of the board's `dump:` (default: the first)" : "of the board's `flash:` (default: the first)")
      ->type_name(is_dump ? "DUMPPART" : "FLASHPART");
  command->add_option("--timeout", arguments->timeout_s, "seconds for all of it (default: the board's)")->check(CLI::Range(0.1, 86'400.0));
  command->add_option("--record", arguments->record, "directory for the timeline and the consoles")->type_name("DIR");
  command->add_flag("--accept-unverified", arguments->accept_unverified, "exit with 0 also when it could not be verified");
  command->add_flag("--json", arguments->json, "the result as JSON");
  add_wait_option(*command, arguments->wait_s);
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status, is_dump] {
    stop_on_signals();
    status = carry_out(*arguments, is_dump);
  });
}

}  // namespace

void add_flash(CLI::App& app, int& status) { add(app, status, false); }
void add_dump(CLI::App& app, int& status) { add(app, status, true); }

}  // namespace hilcop
