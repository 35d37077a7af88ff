// SPDX-License-Identifier: Apache-2.0
#include "bench/run_boots.h"

#include "evidence/timeline.h"

namespace hilcop {

std::filesystem::path console_dir_of(const std::filesystem::path& run_dir) {
  return std::filesystem::is_directory(run_dir / "timeline") ? run_dir / "console" : run_dir;
}

std::vector<BootLog> read_run_boots(const std::filesystem::path& run_dir, const std::string& dut) {
  const bool whole_run = std::filesystem::is_directory(run_dir / "timeline");
  const auto timeline = run_dir / (whole_run ? "timeline" : "timeline.ndjson");
  if (!std::filesystem::exists(timeline))
    throw Error(ErrorKind::NotFound, "run " + run_dir.string(), "has no timeline: it is no run directory",
                "name a directory that hilcop run made, or open_bench(record_dir=...)");
  const auto read = read_timeline(timeline);
  std::vector<BootLog> all;
  for (const auto& name : booted_duts(read.events)) {
    if (!dut.empty() && name != dut) continue;
    auto boots = boots_of(read.events, name);
    // What the cut-off line said may have been a gap.
    for (const auto& file : read.torn) boots.back().damage.push_back("the timeline " + file + " ends in the middle of a line");
    for (auto& boot : boots) {
      for (const auto& file : read.damaged) boot.damage.push_back("the timeline " + file + " has lines that cannot be read");
      read_lines(boot, console_dir_of(run_dir));
      all.push_back(std::move(boot));
    }
  }
  return all;
}

}  // namespace hilcop
