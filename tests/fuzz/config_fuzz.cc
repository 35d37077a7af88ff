// SPDX-License-Identifier: Apache-2.0
// A lab-config file: it is loaded, or every problem has a place. Nothing is opened.
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "bench/config.h"
#include "fixtures/catalog.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto file = std::filesystem::temp_directory_path() / ("hilcop-fuzz-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    load_bench_config(file, file.parent_path(), all_drivers());
  } catch (const ConfigError& error) {
    if (error.problems().empty()) std::abort();
    for (const auto& problem : error.problems())
      if (problem.message.empty() || problem.file.empty()) std::abort();
  }
  std::filesystem::remove(file);
  return 0;
}
