// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/config.h"

namespace hilcop {

/// NotProved: the bench has nothing that would show it. Warning: it works, but somebody should look.
enum class SelftestGrade { Pass, Warning, NotProved, Fail };
std::string to_string(SelftestGrade grade);

/// One thing that a self-test looked at. `dut`: the only one that it concerns; empty: every one of the bench.
struct SelftestItem {
  std::string item;    // "power", "wiring", "disk space"
  std::string dut;     // "lamp"
  std::string object;  // "console main", "relay 1"
  SelftestGrade grade = SelftestGrade::NotProved;
  std::string text;
};
nlohmann::json to_json(const SelftestItem& item);

/// Keeps the result for every DUT of `duts`, each with the items that concern it, under state_dir(). `recordings`: where the
/// self-test left what it saw. Throws Error (disk full, no permission). Returns the whole record.
nlohmann::json save_selftest(const BenchConfig& bench, const std::vector<std::string>& duts, const std::vector<SelftestItem>& items,
                             const std::filesystem::path& recordings);

/// What the last self-test says of a DUT now:
/// {"state": "passed", "failed", "outdated" or "none", "refuses", "text", "utc", "failures": [{"item", ...}]}. A failed one stays
/// failed until one passes, whatever changed since. `refuses`: it failed, or lab-config requires one that passed.
nlohmann::json selftest_state(const BenchConfig& bench, const std::string& dut, const Clock& clock = real_clock());

}  // namespace hilcop
