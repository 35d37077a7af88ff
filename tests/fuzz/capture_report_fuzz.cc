// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture, read to the last dissector: it ends, every place lies within the file, and the report is JSON.
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "fakes/temp_dir.h"
#include "network/analysis/capture_report.h"

using namespace hilcop;
using namespace hilcop::analysis;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDir temp;
  std::filesystem::remove(temp / "a");  // to write over it would wait for the disk
  std::ofstream(temp / "a", std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    CaptureReportOptions options;
    if (size % 4 == 0) options.canaries = {{"psk", "hunter2hunter2"}};  // compiling it takes most of the time
    const auto report = analyse_capture(temp / "a", options);
    for (const auto& finding : report.canaries)
      for (const auto& place : finding.seen.places)
        if (place.frame == 0 || place.frame > report.frames || place.file_offset + place.size > size) std::abort();
    if (to_json(report).dump().empty()) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Protocol) std::abort();  // no capture
  }
  return 0;
}
