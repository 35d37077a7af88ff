// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>

#include "flash/flash.h"
#include "io/image_file.h"

namespace hilcop {

/// One flashing or dumping, as the routes see it.
struct FlashJob {
  Dut& dut;
  const FlashPart& part;
  std::filesystem::path file;
  Deadline deadline;
  std::function<void(const FlashProgress&)> progress;
  std::map<std::string, std::string> values;  // for {name}
  std::string object;                         // "flash part 'card' of dut 'board1'"

  /// Tells how far it is. Throws Interrupted when asked to stop, Error{Timeout} past the deadline.
  void step(const std::string& phase, std::uint64_t done, std::uint64_t total) const;
  std::vector<std::string> filled(const nlohmann::json& texts) const;
  Error differs(std::uint64_t offset, const std::string& means) const;
};

struct FlashDone {
  std::uint64_t bytes = 0;
  std::string sha256, verified_by, unverified_why;
};

/// One file each. What a route cannot do throws Error{Unsupported}.
FlashDone flash_by_storage(const FlashJob& job);
FlashDone dump_by_storage(const FlashJob& job);
FlashDone flash_by_uboot(const FlashJob& job);
FlashDone dump_by_uboot(const FlashJob& job);
FlashDone flash_by_dfu(const FlashJob& job);
FlashDone dump_by_dfu(const FlashJob& job);
FlashDone flash_by_fastboot(const FlashJob& job);
FlashDone flash_by_openocd(const FlashJob& job);
FlashDone dump_by_openocd(const FlashJob& job);
FlashDone flash_by_command(const FlashJob& job);
FlashDone dump_by_command(const FlashJob& job);

/// Throws Error{Config} for an image that does not fit in memory.
void check_uboot(const FlashJob& job);
/// Throws Error{Config} unless `usb_path` or `serial` of the DUT's `flash_values:` says which device is meant: a tool takes any that is
/// there.
void check_selector(const FlashJob& job);

inline constexpr const char* kVerifyOff = "the board file says verify: false";

}  // namespace hilcop
