// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hilcop {

/// The boots of runs beside each other, as JSON (harness/console/docs/boot-log.md): for each DUT its boots, the times of its
/// stages, and the lines that are new or missing. `reference`: the run that the others are held against; with one run alone its
/// boots are held against each other. Throws Error where evidence cannot be read, Error{NotFound} where no run has that DUT.
nlohmann::json compare_boots(const std::vector<std::filesystem::path>& runs, const std::filesystem::path& reference,
                             const std::string& dut);

/// For the report of one run: {DUT: {boots, lines: [{text, in_boots, of, file, line}]}}: lines that not every complete boot has.
/// Never throws for what the evidence contains.
nlohmann::json boot_lines(const std::filesystem::path& run);

/// Whether such a comparison has lines that are new or missing.
bool differs(const nlohmann::json& comparison);

}  // namespace hilcop
