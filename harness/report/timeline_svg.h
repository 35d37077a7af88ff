// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <nlohmann/json.hpp>

namespace hilcop {

/// The run as a drawing: for each DUT its power as a level, its boot stages as ticks, lost sectors at the cuts.
std::string timeline_svg(const nlohmann::json& record);
/// The boots of a DUT: above, the spread of each stage (least, middle half, median, most); below, each boot as a bar.
std::string boots_svg(const nlohmann::json& record, const std::string& dut);
/// The colours of boots_svg with the names of the stages, as HTML.
std::string boots_legend(const nlohmann::json& record, const std::string& dut);
/// Lines that not every complete boot has (`boot_lines` of the record), as HTML; empty where nothing was compared.
std::string boot_lines_html(const nlohmann::json& record, const std::string& dut);

/// Vertical lines at round times from 0 to `span` seconds, between two x.
std::string time_axis(double left, double right, double span, double height);
/// The id of a log's lines in the page, without "-LINE".
std::string anchor(const std::string& log);

}  // namespace hilcop
