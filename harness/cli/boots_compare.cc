// SPDX-License-Identifier: Apache-2.0
#include "cli/boots_compare.h"

#include <algorithm>
#include <map>
#include <set>

#include "bench/run_boots.h"
#include "console/reference_boots.h"
#include "evidence/line_finder.h"

namespace hilcop {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

struct RunOfBoots {
  fs::path dir;
  std::vector<BootLog> boots;  // of one DUT
};

json boot_json(const BootLog& boot, const std::string& run) {
  json stages = json::array();
  for (const auto& stage : boot.stages)
    stages.push_back({{"stage", stage.stage},
                      {"elapsed_s", seconds(stage.since_power_on)},
                      {"limit_s", seconds(stage.limit)},
                      {"within", stage.within}});
  return {{"run", run},       {"boot", boot.number},       {"cause", boot.cause},   {"ending", to_string(boot.ending)},
          {"stages", stages}, {"missing", boot.missing()}, {"doubt", boot.doubt()}, {"lines", boot.lines.size()}};
}

json times_json(const std::string& stage, const std::vector<const BootLog*>& boots) {
  std::vector<double> times;
  int late = 0;
  double limit = 0;
  for (const auto* boot : boots)
    for (const auto& seen : boot->stages)
      if (seen.stage == stage) times.push_back(seconds(seen.since_power_on)), late += seen.within ? 0 : 1, limit = seconds(seen.limit);
  if (times.empty()) return {{"stage", stage}, {"count", 0}};
  std::sort(times.begin(), times.end());
  const auto middle = times.size() / 2;
  const double median = times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  return {{"stage", stage},     {"count", times.size()}, {"min_s", times.front()},
          {"median_s", median}, {"max_s", times.back()}, {"spread_s", times.back() - times.front()},
          {"limit_s", limit},   {"late", late}};
}

class DutComparison {
 public:
  DutComparison(std::string dut, std::vector<RunOfBoots> runs, std::size_t reference)
      : dut_(std::move(dut)), runs_(std::move(runs)), at_(reference), reference_(runs_.at(reference).boots) {}

  json make() {
    json out{{"dut", dut_},
             {"reference", runs_[at_].dir.string()},
             {"reference_boots", reference_.boots()},
             {"reference_lines", reference_.lines()},
             {"learned", reference_.learned()},
             {"boots", json::array()},
             {"stages", json::array()},
             {"new", json::array()},
             {"missing", json::array()}};
    for (const auto& run : runs_)
      for (const auto& boot : run.boots) out["boots"].push_back(boot_json(boot, run.dir.string()));
    stages(out["stages"]);
    for (std::size_t i = 0; i < runs_.size(); ++i)
      if (i != at_ || runs_.size() == 1) news(runs_[i]);
    for (std::size_t i = 0; i < runs_.size(); ++i)
      if (i != at_) missing(runs_[i]);
    if (runs_.size() == 1) sometimes(out["missing"]);
    out["unjudged"] = unjudged();
    for (auto& [form, entry] : new_) out["new"].push_back(std::move(entry));
    for (auto& [form, entry] : missing_) out["missing"].push_back(std::move(entry));
    const auto place = [](const json& a, const json& b) {
      return std::tuple(a["run"].get<std::string>(), a["begin"].get<std::uint64_t>()) <
             std::tuple(b["run"].get<std::string>(), b["begin"].get<std::uint64_t>());
    };
    std::sort(out["new"].begin(), out["new"].end(), place);
    std::sort(out["missing"].begin(), out["missing"].end(), place);
    return out;
  }

 private:
  // Runs that nothing is said about: without a boot that proves an absence, or with one alone and nothing to hold it against.
  json unjudged() const {
    json list = json::array();
    for (const auto& run : runs_) {
      const auto sound = std::count_if(run.boots.begin(), run.boots.end(), [](const BootLog& boot) { return boot.doubt().empty(); });
      if (sound < (runs_.size() == 1 ? 2 : 1)) list.push_back(run.dir.string());
    }
    return list;
  }

  void stages(json& into) const {
    std::vector<std::string> names;
    for (const auto& run : runs_)
      for (const auto& boot : run.boots)
        for (const auto& stage : boot.declared)
          if (std::find(names.begin(), names.end(), stage) == names.end()) names.push_back(stage);
    for (const auto& name : names)
      for (const auto& run : runs_) {
        std::vector<const BootLog*> boots;
        for (const auto& boot : run.boots) boots.push_back(&boot);
        into.push_back(times_json(name, boots));
        into.back()["run"] = run.dir.string();
      }
  }

  json place(const RunOfBoots& run, const BootLog& boot, const BootLine& line) {
    auto& finder = finders_.try_emplace(run.dir.string(), run.dir).first->second;
    const auto raw = (console_dir_of(run.dir) / boot.file).lexically_relative(run.dir);
    return {{"text", line.text},
            {"run", run.dir.string()},
            {"boot", boot.number},
            {"file", fs::path(raw).replace_extension(".log").string()},
            {"line", finder.line_of(raw.string(), line.span.begin)},
            {"begin", line.span.begin},
            {"end", line.span.end},
            {"at_s", line.since_power_on < Nanoseconds{} ? json() : json(seconds(line.since_power_on))}};
  }

  void news(const RunOfBoots& run) {
    if (reference_.boots() == 0) return;
    for (const auto& boot : run.boots)
      for (const auto& one : reference_.not_in(boot)) {
        auto& entry = new_[one.form];
        if (entry.is_null()) entry = place(run, boot, boot.lines[one.line]), entry["in_boots"] = 0, entry["more_often"] = one.more_often;
        entry["in_boots"] = entry["in_boots"].get<int>() + 1;
      }
  }

  // A boot that proves no absence takes no part.
  void missing(const RunOfBoots& run) {
    for (const auto& boot : run.boots) {
      if (!boot.doubt().empty()) continue;
      for (const auto& one : reference_.missing_from(boot)) {
        auto& entry = missing_[one.form];
        if (entry.is_null())
          entry = place(runs_[at_], runs_[at_].boots[one.boot], one.line), entry["missing_in"] = 0, entry["less_often"] = one.less_often;
        entry["missing_in"] = entry["missing_in"].get<int>() + 1;
      }
    }
  }

  void sometimes(json& into) {
    for (const auto& one : reference_.sometimes()) {
      into.push_back(place(runs_[at_], runs_[at_].boots[one.boot], one.line));
      into.back()["missing_in"] = reference_.boots() - one.in_boots;
    }
  }

  std::string dut_;
  std::vector<RunOfBoots> runs_;
  std::size_t at_;
  ReferenceBoots reference_;
  std::map<std::string, json> new_, missing_;
  std::map<std::string, LineFinder> finders_;
};

}  // namespace

json compare_boots(const std::vector<fs::path>& runs, const fs::path& reference, const std::string& dut) {
  std::map<std::string, std::vector<RunOfBoots>> by_dut;
  std::set<std::string> names;
  std::vector<std::vector<BootLog>> all;
  for (const auto& run : runs) {
    all.push_back(read_run_boots(run, dut));
    for (const auto& boot : all.back()) names.insert(boot.dut);
  }
  const auto at = static_cast<std::size_t>(std::find(runs.begin(), runs.end(), reference) - runs.begin());
  if (names.empty())
    throw Error(ErrorKind::NotFound, "run " + runs.front().string(), dut.empty() ? "has no boots" : "has no boots of dut '" + dut + "'",
                "see `boots` in its run.json for who booted");
  json out{{"format", "hilcop boots 1"}, {"runs", json::array()}, {"duts", json::array()}};
  for (const auto& run : runs) out["runs"].push_back(run.string());
  for (const auto& name : names) {
    std::vector<RunOfBoots> of_dut;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      of_dut.push_back({runs[i], {}});
      for (const auto& boot : all[i])
        if (boot.dut == name) of_dut.back().boots.push_back(boot);
    }
    out["duts"].push_back(DutComparison(name, std::move(of_dut), at).make());
  }
  return out;
}

json boot_lines(const fs::path& run) {
  json out = json::object();
  try {
    const auto comparison = compare_boots({run}, run, "");
    for (const auto& dut : comparison["duts"]) {
      json lines = json::array();
      const int boots = dut["reference_boots"];
      for (const auto* kind : {"new", "missing"})
        for (const auto& line : dut[kind])
          lines.push_back({{"text", line["text"]},
                           {"in_boots", line.contains("in_boots") ? line["in_boots"].get<int>() : boots - line["missing_in"].get<int>()},
                           {"of", line.contains("in_boots") ? dut["boots"].size() : static_cast<std::size_t>(boots)},
                           {"file", line["file"]},
                           {"line", line["line"]}});
      out[dut["dut"].get<std::string>()] = {{"boots", boots}, {"lines", lines}};
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound) throw;  // a run without boots
  }
  return out;
}

bool differs(const json& comparison) {
  return std::any_of(comparison["duts"].begin(), comparison["duts"].end(),
                     [](const json& dut) { return !dut["new"].empty() || !dut["missing"].empty(); });
}

}  // namespace hilcop
