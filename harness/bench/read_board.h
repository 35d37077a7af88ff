// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "bench/checked_yaml.h"
#include "bench/config.h"

namespace hilcop {

/// Reads a board file and lists its problems; the value is whole only if there are none.
Board read_board(const std::filesystem::path& path, DriverTable drivers, std::vector<ConfigProblem>& problems);

Nanoseconds from_ms(const nlohmann::json& number);
Nanoseconds from_s(const nlohmann::json& number);
std::vector<std::string> driver_names(DriverTable drivers);

}  // namespace hilcop
