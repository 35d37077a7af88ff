// SPDX-License-Identifier: Apache-2.0
// A worker's timeline, torn and damaged at will: there is always a record with its reports, and nothing passes that was not shown.
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "evidence/run_record.h"
#include "report/report.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto dir = std::filesystem::temp_directory_path() / ("hilcop-fuzz-" + std::to_string(::getpid()));
  std::filesystem::create_directories(dir / "timeline");
  std::ofstream(dir / "timeline/w.ndjson", std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const auto record = make_run_record(dir);
  if (junit_xml(record).empty() || report_html(record, dir).empty()) std::abort();
  for (const auto& scenario : record["scenarios"]) {
    if (scenario["verdict"] != "Pass") continue;
    if (scenario["ended"] != true || !scenario["error"].is_null() || scenario["checks"].empty() || record["damaged"] == true) std::abort();
    for (const auto& check : scenario["checks"]) {
      if (check["verdict"] != "Pass" || check["controls"].empty()) std::abort();
      for (const auto& control : check["controls"])
        if (control["ok"] != true) std::abort();
    }
  }
  std::filesystem::remove_all(dir);
  return 0;
}
