// SPDX-License-Identifier: Apache-2.0
#include "bench/selftest_record.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "base/paths.h"
#include "evidence/run_record.h"
#include "evidence/sha256.h"

namespace hilcop {
namespace {

using nlohmann::json;

// The bench is its file: two files that call their bench by one name are two benches.
std::filesystem::path file_of(const BenchConfig& bench, const std::string& dut) {
  std::error_code failed;
  const auto file = std::filesystem::canonical(bench.file, failed);
  const auto identity = json{bench.name, (failed ? bench.file : file).string(), dut}.dump();
  return state_dir() / "selftest" / (sha256_hex(identity).substr(0, 24) + ".json");
}

std::string board_sha256(const BenchConfig& bench, const std::string& dut) { return bench.duts.at(dut).board.sha256; }

json read(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  auto value = json::parse(text, nullptr, false);
  return value.is_object() ? value : json();
}

std::string age_text(double hours) {
  if (hours < 1) return fmt::format("{:.0f} min", hours * 60);
  return hours < 48 ? fmt::format("{:.1f} h", hours) : fmt::format("{:.0f} days", hours / 24);
}

// Why a record that passed says nothing of the bench as it is now; empty: it does.
std::string why_outdated(const json& record, const BenchConfig& bench, const std::string& dut, double age_h) {
  if (record.at("sha256") != bench.sha256) return "lab-config changed since";
  if (record.at("board_sha256") != board_sha256(bench, dut)) return "the board file changed since";
  const double limit = std::chrono::duration<double, std::ratio<3600>>(bench.selftest_max_age).count();
  if (age_h > limit) return fmt::format("it is {} old, and lab-config allows {:g} h", age_text(age_h), limit);
  if (age_h < -0.1) return "it is from the future: a clock was set back";
  return "";
}

}  // namespace

std::string to_string(SelftestGrade grade) {
  switch (grade) {
    case SelftestGrade::Pass:
      return "pass";
    case SelftestGrade::Warning:
      return "warning";
    case SelftestGrade::NotProved:
      return "not proved";
    case SelftestGrade::Fail:
      return "fail";
  }
  return "?";
}

json to_json(const SelftestItem& item) {
  return {{"item", item.item}, {"dut", item.dut}, {"object", item.object}, {"grade", to_string(item.grade)}, {"text", item.text}};
}

json save_selftest(const BenchConfig& bench, const std::vector<std::string>& duts, const std::vector<SelftestItem>& items,
                   const std::filesystem::path& recordings) {
  const auto now = real_clock().utc_now();
  json whole{{"format", "hilcop selftest 1"},    {"bench", bench.name},    {"file", bench.file.string()},
             {"sha256", bench.sha256},           {"utc", to_iso8601(now)}, {"utc_ns", now.time_since_epoch().count()},
             {"recordings", recordings.string()}};
  const auto with = [&](const auto& wanted) {
    json record = whole;
    record["result"] = "pass";
    record["items"] = json::array();
    for (const auto& item : items) {
      if (!wanted(item)) continue;
      record["items"].push_back(to_json(item));
      if (item.grade == SelftestGrade::Fail) record["result"] = "fail";
    }
    return record;
  };
  for (const auto& dut : duts) {
    auto record = with([&](const SelftestItem& item) { return item.dut.empty() || item.dut == dut; });
    record["dut"] = dut;
    record["board_sha256"] = board_sha256(bench, dut);
    const auto file = file_of(bench, dut);
    std::error_code made;
    std::filesystem::create_directories(file.parent_path(), made);
    write_file(file, record.dump(1) + "\n");
  }
  auto record = with([](const SelftestItem&) { return true; });
  record["duts"] = duts;
  return record;
}

json selftest_state(const BenchConfig& bench, const std::string& dut, const Clock& clock) {
  json state{{"state", "none"}, {"refuses", bench.selftest_required}, {"utc", nullptr}, {"failures", json::array()}};
  const auto file = file_of(bench, dut);
  if (!std::filesystem::exists(file)) {
    state["text"] = "no self-test was made of it";
    return state;
  }
  try {
    const auto record = read(file);
    const double age_h = static_cast<double>(clock.utc_now().time_since_epoch().count() - record.at("utc_ns").get<std::int64_t>()) / 3.6e12;
    state["utc"] = record.at("utc");
    for (const auto& item : record.at("items"))
      if (item.at("grade") == "fail") state["failures"].push_back(item);
    if (record.at("result") != "pass" || !state["failures"].empty()) {
      state["state"] = "failed", state["refuses"] = true;
      std::string texts;
      for (const auto& item : state["failures"])
        texts += fmt::format("{}{}{}: {}", texts.empty() ? "" : "; ", item.at("item").get<std::string>(),
                             item.at("object") == "" ? "" : " (" + item.at("object").get<std::string>() + ")",
                             item.at("text").get<std::string>());
      state["text"] = "failed " + age_text(age_h) + " ago: " + texts;
      return state;
    }
    const auto why = why_outdated(record, bench, dut, age_h);
    state["state"] = why.empty() ? "passed" : "outdated";
    if (why.empty()) state["refuses"] = false;
    state["text"] = why.empty() ? "passed " + age_text(age_h) + " ago" : "passed once, but " + why;
  } catch (const json::exception&) {
    // It may have been one that failed.
    state["state"] = "failed", state["refuses"] = true, state["text"] = "the record " + file.string() + " cannot be read";
  }
  return state;
}

}  // namespace hilcop
