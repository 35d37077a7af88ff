// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "console/boot_log.h"

namespace hilcop {

/// The boots of every DUT of a run directory, with their lines; of one DUT if `dut` is not empty. From the timeline and the
/// recordings alone: a run that was killed, or still goes on, has them too. Also of a directory that open_bench recorded into.
/// Throws Error{NotFound} where there is no timeline.
std::vector<BootLog> read_run_boots(const std::filesystem::path& run_dir, const std::string& dut = "");

/// Where the recordings of such a directory are: console/ in a run directory, else itself.
std::filesystem::path console_dir_of(const std::filesystem::path& run_dir);

}  // namespace hilcop
