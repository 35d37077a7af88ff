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
  std::vector<std::string> others = {};  // DUTs that it takes besides `dut` to see this
  bool looked = true;                    // false: it was not looked at this time, so an earlier failure of it stands
};
nlohmann::json to_json(const SelftestItem& item);

/// Keeps the result for every DUT of `duts`, each with the items that concern it (bench_records.h). `recordings`: where the
/// self-test left what it saw. An earlier failure stays, with "since", until it is looked at again: what `quick` left out, and what
/// only shows together with a DUT that is not of `duts`. Throws Error (disk full, no permission). Returns the whole record.
nlohmann::json save_selftest(const BenchConfig& bench, const std::vector<std::string>& duts, const std::vector<SelftestItem>& items,
                             const std::filesystem::path& recordings, bool quick = false);

/// What the last self-test says of a DUT now:
/// {"state": "passed", "failed", "outdated" or "none", "refuses", "text", "utc", "failures": [{"item", ...}]}. A failed one stays
/// failed until one passes, whatever changed since. `refuses`: it failed, or lab-config requires one that passed.
nlohmann::json selftest_state(const BenchConfig& bench, const std::string& dut, const Clock& clock = real_clock());

/// Throws Error{Unsupported} for the first of `duts` (empty: all) that its self-test refuses: such a bench judges nothing unless somebody
/// insists. `insist`: how the caller lets him, for the error: "--without-selftest: then nothing passes or fails".
void require_selftest(const BenchConfig& bench, const std::vector<std::string>& duts, const std::string& insist);

}  // namespace hilcop
