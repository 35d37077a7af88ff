// SPDX-License-Identifier: Apache-2.0
// A security log as a cut or somebody left it: what is no event is left out, and what is added comes last.
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "thermostatd/files.h"
#include "thermostatd/security_log.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto file = std::filesystem::temp_directory_path() / ("ht1-fuzz-log-" + std::to_string(::getpid()));
  static const Flaws sound;
  write_file(file, {reinterpret_cast<const char*>(data), size}, Durability::Unsynced);
  {
    SecurityLog log(file, sound);
    log.add("last", std::string(reinterpret_cast<const char*>(data), size));
    const auto read = log.read();
    if (!read.is_array() || read.empty() || read.size() > 500 || read.back().value("event", "") != "last") std::abort();
  }
  if (SecurityLog(file, sound).read().back().value("event", "") != "last") std::abort();
  std::filesystem::remove(file);
  return 0;
}
