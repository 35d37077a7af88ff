// SPDX-License-Identifier: Apache-2.0
#include "bench/selftest_record.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "bench/bench_records.h"
#include "evidence/sha256.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr const char* kKind = "selftest";

// The bench is its file: two files that call their bench by one name are two benches. A group leases by names, each from his own file.
std::string name_of(const BenchConfig& bench, const std::string& dut) {
  std::error_code failed;
  const auto file = std::filesystem::canonical(bench.file, failed);
  const auto place = records_are_shared() ? "" : (failed ? bench.file : file).string();
  return sha256_hex(json{bench.name, place, dut}.dump()).substr(0, 24);
}

std::string board_sha256(const BenchConfig& bench, const std::string& dut) { return bench.duts.at(dut).board.sha256; }

// Null where it is not whole.
json parsed(const std::string& text) {
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

bool same(const json& item, const json& other) { return item.at("item") == other.at("item") && item.at("dut") == other.at("dut"); }

constexpr const char* kUnreadable = "earlier self-test";

// Whether its DUT was switched.
bool was_reached(const json& record) {
  const auto& items = record.at("items");
  return std::any_of(items.begin(), items.end(),
                     [&](const json& item) { return item.at("item") == "power" && item.at("dut") == record.at("dut"); });
}

// Whether it would have found whatever an earlier self-test of this DUT can have found: nothing was left out, with all DUTs of the bench.
bool shows_all(const json& record, const BenchConfig& bench) {
  const auto& tested = record.at("tested");
  return !record.at("quick").get<bool>() && was_reached(record) && std::all_of(bench.duts.begin(), bench.duts.end(), [&](const auto& dut) {
    return std::find(tested.begin(), tested.end(), dut.first) != tested.end();
  });
}

// Failures of the earlier record of this DUT that the new one says nothing of. Throws json::exception.
std::vector<json> standing_failures_of(const json& earlier, const json& record, const BenchConfig& bench) {
  std::vector<json> standing;
  const auto& items = record.at("items");
  const auto& tested = record.at("tested");
  const bool reached = was_reached(record);  // whoever could not even be opened was not
  for (auto failure : earlier.at("items")) {
    if (failure.at("grade") != "fail") continue;
    bool again = false, left_out = false;
    for (const auto& item : items) {
      if (!same(item, failure)) continue;
      again = again || item.at("grade") == "fail";
      left_out = left_out || !item.value("looked", true);
    }
    const bool absent = !reached && std::none_of(items.begin(), items.end(), [&](const json& item) { return same(item, failure); });
    const bool unreadable = failure.at("item") == kUnreadable && !shows_all(record, bench);
    const auto others = failure.value("others", json::array());
    const bool alone = std::any_of(others.begin(), others.end(), [&](const json& other) {
      return bench.duts.contains(other.get<std::string>()) && std::find(tested.begin(), tested.end(), other) == tested.end();
    });
    if (again || !(left_out || absent || alone || unreadable)) continue;
    if (!failure.contains("since")) failure["since"] = earlier.at("utc");
    standing.push_back(std::move(failure));
  }
  return standing;
}

std::vector<json> standing_failures(const std::optional<std::string>& text, const json& record, const BenchConfig& bench) {
  if (!text) return {};
  const auto earlier = parsed(*text);
  try {
    return standing_failures_of(earlier, record, bench);
  } catch (const json::exception&) {
    // It may have been one that failed, by something that the new one did not look at.
    if (shows_all(record, bench)) return {};
    std::vector<json> standing;
    standing.push_back(
        {{"item", kUnreadable},
         {"dut", record.at("dut")},
         {"object", ""},
         {"grade", "fail"},
         {"text", "its record could not be read: only a whole self-test, of all DUTs of the bench, shows what it may have found"}});
    return standing;
  }
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
  json value{{"item", item.item}, {"dut", item.dut}, {"object", item.object}, {"grade", to_string(item.grade)}, {"text", item.text}};
  if (!item.others.empty()) value["others"] = item.others;
  if (!item.looked) value["looked"] = false;
  return value;
}

json save_selftest(const BenchConfig& bench, const std::vector<std::string>& duts, const std::vector<SelftestItem>& items,
                   const std::filesystem::path& recordings, bool quick) {
  const auto now = real_clock().utc_now();
  json whole{{"format", "hilcop selftest 1"},
             {"bench", bench.name},
             {"file", bench.file.string()},
             {"sha256", bench.sha256},
             {"utc", to_iso8601(now)},
             {"utc_ns", now.time_since_epoch().count()},
             {"recordings", recordings.string()},
             {"tested", duts},
             {"quick", quick}};
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
  json all_kept = json::array();
  for (const auto& dut : duts) {
    auto record = with([&](const SelftestItem& item) { return item.dut.empty() || item.dut == dut; });
    record["dut"] = dut;
    record["board_sha256"] = board_sha256(bench, dut);
    const auto name = name_of(bench, dut);
    for (auto& kept : standing_failures(read_record(kKind, name), record, bench)) {
      if (std::find(all_kept.begin(), all_kept.end(), kept) == all_kept.end()) all_kept.push_back(kept);
      record["items"].push_back(std::move(kept));
      record["result"] = "fail";
    }
    write_record(kKind, name, record.dump(1) + "\n");
  }
  auto record = with([](const SelftestItem&) { return true; });
  record["duts"] = duts;
  if (!all_kept.empty()) record["result"] = "fail";
  for (auto& kept : all_kept) record["items"].push_back(std::move(kept));
  return record;
}

json selftest_state(const BenchConfig& bench, const std::string& dut, const Clock& clock) {
  json state{{"state", "none"}, {"refuses", bench.selftest_required}, {"utc", nullptr}, {"failures", json::array()}};
  const auto name = name_of(bench, dut);
  try {
    const auto text = read_record(kKind, name);
    if (!text) {
      state["text"] = "no self-test was made of it";
      return state;
    }
    const auto record = parsed(*text);
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
    state["state"] = "failed", state["refuses"] = true, state["text"] = "the record " + record_file(kKind, name) + " cannot be read";
  } catch (const Error& error) {
    state["state"] = "failed", state["refuses"] = true, state["text"] = error.object() + " cannot be read: " + error.cause();
  }
  return state;
}

void require_selftest(const BenchConfig& bench, const std::vector<std::string>& duts, const std::string& insist) {
  auto names = duts;
  if (names.empty())
    for (const auto& [name, dut] : bench.duts) names.push_back(name);
  for (const auto& dut : names) {
    if (!bench.duts.contains(dut)) continue;  // whoever opens it says so
    const auto state = selftest_state(bench, dut);
    if (!state["refuses"].get<bool>()) continue;
    throw Error(ErrorKind::Unsupported, "dut '" + dut + "' of bench '" + bench.name + "'",
                "no run without a self-test that passed: " + state["text"].get<std::string>(),
                "mend that and run `hilcop selftest --bench " + bench.file.lexically_proximate(std::filesystem::current_path()).string() +
                    "`; or go on with " + insist);
  }
}

}  // namespace hilcop
