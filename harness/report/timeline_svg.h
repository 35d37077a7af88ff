// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <nlohmann/json.hpp>

namespace hilcop {

/// The run as a drawing: for each DUT its power as a level, its boot stages as ticks, lost sectors at the cuts.
std::string timeline_svg(const nlohmann::json& record);
/// Each boot as a bar: when each stage came, against the last stage's limit.
std::string boots_svg(const nlohmann::json& record, const std::string& dut);
/// The colours of boots_svg with the names of the stages, as HTML.
std::string boots_legend(const nlohmann::json& record, const std::string& dut);

}  // namespace hilcop
