// SPDX-License-Identifier: Apache-2.0
// The factory's unit.json, of which the fuses say that it is the right one: a unit, or a Failure.
#include <unistd.h>

#include <cstdlib>

#include "thermostatd/crypto.h"
#include "thermostatd/error.h"
#include "thermostatd/files.h"
#include "thermostatd/unit.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("ht1-fuzz-" + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
  };
  static const Folder folder;
  const std::string text(reinterpret_cast<const char*>(data), size);
  write_file(folder.path / "unit.json", text, Durability::Unsynced);
  write_file(folder.path / "fuses", std::string(32, 'k') + sha256(text), Durability::Unsynced);
  try {
    const auto unit = read_unit(folder.path, folder.path / "fuses");
    if (unit.setup_secret.hash.size() != 32 || unit.fuse_key.size() != 32) std::abort();
  } catch (const Failure&) {
  }
  return 0;
}
