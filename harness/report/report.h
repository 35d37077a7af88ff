// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace hilcop {

/// junit.xml of a run record: Fail is a failure; Error, Inconclusive and NotRun are errors: never passed, never skipped.
std::string junit_xml(const nlohmann::json& record);

/// One self-contained page: verdicts, checks with links into the console log, the timeline as SVG. Loads nothing. `run_dir` is
/// where the console logs are read from. Everything from a device is escaped.
std::string report_html(const nlohmann::json& record, const std::filesystem::path& run_dir);

/// Text for HTML and XML: & < > " ' escaped; what XML 1.0 does not allow is replaced.
std::string escaped(const std::string& text);

}  // namespace hilcop
