// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

#include <nlohmann/json.hpp>

namespace hilcop {

/// All of one run as JSON (docs/run-record.md), made of the timeline alone: a run that was killed has one too. Never better than
/// the timeline: a Pass without a control that was ok becomes Inconclusive, a scenario without its end Error, one that was
/// planned and not begun NotRun.
nlohmann::json make_run_record(const std::filesystem::path& run_dir);

/// Writes manifest.json: SHA-256 and size of every file of the run directory but itself. Throws Error (disk full).
void write_manifest(const std::filesystem::path& run_dir);

/// Writes a file whole or not at all. Throws Error{Exhausted}, ...
void write_file(const std::filesystem::path& path, const std::string& content);

}  // namespace hilcop
