// SPDX-License-Identifier: Apache-2.0
#include "evidence/run_record.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <vector>

#include "base/error.h"
#include "evidence/line_finder.h"
#include "evidence/sha256.h"
#include "evidence/timeline.h"

namespace hilcop {
namespace {

using nlohmann::json;

const std::vector<std::string> kWorstFirst{"Fail", "Error", "Inconclusive", "NotRun", "Attested", "Pass", "NotApplicable"};

// What is not as docs/timeline.md says throws json::exception: the line counts as damaged.
std::string text(const json& d, const char* key) { return d.at(key).get<std::string>(); }
json texts(const json& d, const char* key) { return d.at(key).get<std::vector<std::string>>(); }
json error_of(const json& d) {
  const auto& error = d.at("error");
  return error.is_null() ? json()
                         : json{{"kind", error.value("kind", "")},
                                {"object", error.value("object", "")},
                                {"cause", error.value("cause", "")},
                                {"remedy", error.value("remedy", "")}};
}

// Only with the fields that reports draw.
void require_drawable(const std::string& kind, const json& d) {
  if (kind == "power.edge") {
    d.at("acknowledged_ns").get<std::int64_t>(), d.at("on").get<bool>();
    for (const auto& disk : d.at("details").value("disks", json::array()))
      disk.value("lost_sectors", std::uint64_t{0}), disk.value("kept_sectors", std::uint64_t{0});
    d.at("details").value("loss", "");
  } else if (kind == "boot.stage") {
    d.at("boot").get<int>(), d.at("stage").get<std::string>(), d.at("within").get<bool>();
    d.at("elapsed_s").get<double>(), d.at("limit_s").get<double>();
  } else if (kind == "bench.open") {
    d.value("bench", ""), d.value("sha256", "");
    for (const auto& dut : d.at("duts")) {
      dut.value("board", ""), dut.value("serial_number", ""), dut.value("board_sha256", "");
      const auto selftest = dut.value("selftest", json::object());
      selftest.value("state", ""), selftest.value("text", ""), selftest.value("refuses", false);
      dut.value("instruments", json::object()).value("power", json::object()).value("rated_switches", std::uint64_t{0});
      const auto timing = dut.value("power_timing", json());
      if (timing.is_null()) continue;
      timing.at("utc").get<std::string>(), timing.at("effect").get<std::string>();
      for (const char* edge : {"on", "off"})
        if (const auto& spread = timing.at(edge); !spread.is_null())
          spread.at("count").get<int>(), spread.at("median_s").get<double>(), spread.at("uncertainty_s").get<double>();
    }
  }
}

// Scenarios of a run by (dut, id), filled event by event.
class RecordMaker {
 public:
  explicit RecordMaker(const std::filesystem::path& run_dir) : lines_(run_dir) {}

  json make(const TimelineRead& read) {
    damaged_ = !read.damaged.empty();
    for (const auto& event : read.events) {
      try {
        take(event);
      } catch (const json::exception&) {
        damaged_ = true;
      }
    }
    json list = json::array();
    for (const auto& key : order_) list.push_back(finish(scenarios_.at(key)));
    record_["scenarios"] = list;
    record_["torn"] = read.torn;
    record_["damaged"] = damaged_;
    if (!read.events.empty()) {
      const auto& first = read.events.front();
      record_["begin_utc"] = to_iso8601(first.utc);
      record_["begin_ns"] = to_ns(first.steady);
      record_["end_ns"] = to_ns(read.events.back().steady);
      record_["elapsed_s"] = std::chrono::duration<double>(read.events.back().steady - first.steady).count();
    }
    return record_;
  }

 private:
  using Key = std::pair<std::string, std::string>;

  json& scenario(const std::string& dut, const std::string& id) {
    const Key key{dut, id};
    if (!scenarios_.contains(key)) {
      order_.push_back(key);
      scenarios_[key] = {{"id", id},
                         {"dut", dut},
                         {"title", ""},
                         {"clauses", json::array()},
                         {"begun", false},
                         {"ended", false},
                         {"error", nullptr},
                         {"reason", ""},
                         {"checks", json::array()},
                         {"measurements", json::object()},
                         {"log", json::array()},
                         {"elapsed_s", nullptr}};
    }
    return scenarios_[key];
  }

  json& check(json& scenario, const std::string& name) {
    for (auto& check : scenario["checks"])
      if (check["name"] == name) return check;
    scenario["checks"].push_back({{"name", name},
                                  {"title", name},
                                  {"verdict", nullptr},
                                  {"controls", json::array()},
                                  {"expected", ""},
                                  {"observed", ""},
                                  {"reason", ""},
                                  {"evidence", json::array()},
                                  {"clauses", json::array()}});
    return scenario["checks"].back();
  }

  json located(const json& evidence) {
    json list = json::array();
    for (auto entry : evidence) {
      const std::string path = entry.value("path", "");
      entry.value("text", ""), entry.value("begin", std::uint64_t{0}), entry.value("end", std::uint64_t{0});
      if (path.ends_with(".raw")) {
        entry["log"] = path.substr(0, path.size() - 4) + ".log";
        entry["line"] = lines_.line_of(path, entry.value("begin", std::uint64_t{0}));
        entry["end_line"] = lines_.line_of(path, entry.value("end", std::uint64_t{0}));
      }
      list.push_back(entry);
    }
    return list;
  }

  void take(const Event& event) {
    const auto& d = event.data;
    const std::string& kind = event.kind;
    const std::string dut = d.value("dut", "");
    require_drawable(kind, d);
    if (kind == "timeline.open")
      record_["writers"].push_back({{"writer", event.source},
                                    {"host", d.value("host", "")},
                                    {"boot_id", d.value("boot_id", "")},
                                    {"version", d.value("version", "")}});
    if (kind == "plan") plan(d);
    if (kind == "bench.open") {
      record_["benches"].push_back(d);
      if (d.contains("faults") && !d["faults"].is_null()) record_["faults"] = d["faults"];
      for (const auto& [name, opened] : d.at("duts").items())
        if (const auto selftest = opened.value("selftest", json::object()); selftest.value("refuses", false))
          unproved_[name] = selftest.value("text", "");
    }
    if (kind == "host.load")
      record_["host_load"].push_back(
          {{"steady_ns", to_ns(event.steady)}, {"load1", d.value("load1", 0.0)}, {"cpu_busy", d.value("cpu_busy", 0.0)}});
    if (kind == "power.edge" || kind == "boot.begin" || kind == "boot.stage" || kind == "console.gap" || kind == "worker.end" ||
        kind == "machine.died" || kind == "boot.late") {
      json entry = d;
      entry["steady_ns"] = to_ns(event.steady);
      entry["source"] = event.source;
      record_[kind == "power.edge"                           ? "power_edges"
              : kind == "console.gap"                        ? "gaps"
              : kind == "boot.begin" || kind == "boot.stage" ? "boots"
                                                             : "incidents"]
          .push_back(entry);
    }
    if (kind.starts_with("scenario.")) about_scenario(kind, d, dut);
    if (!d.contains("scenario")) return;
    auto& s = scenario(dut, d.at("scenario"));
    if (kind.starts_with("check.")) about_check(kind, d, check(s, d.value("check", "")));
    if (kind == "measurement") {
      auto& m = s["measurements"][d.value("name", "")];
      m["unit"] = text(d, "unit"), m["minimum"] = d.at("minimum"), m["maximum"] = d.at("maximum");
      m["values"].push_back(d.at("value").get<double>());
    }
    if (kind == "log") s["log"].push_back({{"level", d.value("level", "info")}, {"text", d.value("text", "")}});
  }

  void plan(const json& d) {
    record_["seed"] = d.value("seed", std::uint64_t{0});
    record_["effort"] = d.value("effort", "");
    for (const auto& planned : d.at("scenarios")) {
      auto& s = scenario(planned.at("dut"), planned.at("id"));
      s["title"] = text(planned, "title"), s["clauses"] = texts(planned, "clauses");
    }
  }

  void about_scenario(const std::string& kind, const json& d, const std::string& dut) {
    auto& s = scenario(dut, d.value("id", ""));
    if (kind == "scenario.begin") {
      s["begun"] = true, s["title"] = d.value("title", ""), s["clauses"] = texts(d, "clauses");
      // A new attempt starts with nothing; a Fail of an earlier one is kept.
      if (d.value("attempt", 1) > 1) s["ended"] = false;
    } else if (kind == "scenario.end") {
      s["ended"] = true, s["elapsed_s"] = d.value("elapsed_s", 0.0);
      if (s["error"].is_null()) s["error"] = error_of(d), s["traceback"] = d.value("traceback", "");
    } else if (kind == "scenario.lost") {
      s["error"] = error_of(d);
    } else if (kind == "scenario.not_run") {
      s["reason"] = text(d, "reason");
    }
  }

  void about_check(const std::string& kind, const json& d, json& c) {
    if (kind == "check.declare") c["title"] = text(d, "title"), c["clauses"] = texts(d, "clauses"), c["expected"] = text(d, "expected");
    if (kind == "check.control")
      c["controls"].push_back({{"control", text(d, "control")},
                               {"ok", d.at("ok").get<bool>()},
                               {"detail", text(d, "detail")},
                               {"evidence", located(d.at("evidence"))}});
    if (kind != "check.verdict") return;
    const std::string verdict = text(d, "verdict"), reason = text(d, "reason"), observed = text(d, "observed");
    if (std::find(kWorstFirst.begin(), kWorstFirst.end(), verdict) == kWorstFirst.end()) damaged_ = true;
    const auto rank = [](const json& of) { return std::find(kWorstFirst.begin(), kWorstFirst.end(), of) - kWorstFirst.begin(); };
    if (!c["verdict"].is_null() && rank(verdict) >= rank(c["verdict"])) return;  // never taken back by something better
    c["evidence"] = located(d.at("evidence"));
    c["verdict"] = damaged_ && verdict != "Fail" ? "Inconclusive" : verdict, c["reason"] = reason, c["observed"] = observed;
  }

  static void does_not_stand(json& check, const std::string& why) {
    if (check["verdict"] == "Inconclusive") return;
    check["reason"] = why + "; the scenario said " + check["verdict"].get<std::string>() +
                      (check["reason"] == "" ? "" : ": " + check["reason"].get<std::string>());
    check["said"] = check["verdict"], check["verdict"] = "Inconclusive";
  }

  json finish(json s) const {
    std::vector<std::string> verdicts;
    for (auto& c : s["checks"]) {
      if (c["verdict"].is_null()) c["verdict"] = "Inconclusive", c["reason"] = "declared, but never judged";
      if (c["verdict"] == "Pass") {
        const bool shown = !c["controls"].empty() &&
                           std::all_of(c["controls"].begin(), c["controls"].end(), [](const json& one) { return one["ok"] == true; });
        if (!shown) c["verdict"] = "Inconclusive", c["reason"] = "a pass without a control that was ok";
        // What cannot be read may have been the Fail, or the control that was not ok.
        if (damaged_) c["verdict"] = "Inconclusive", c["reason"] = "the timeline has lines that cannot be read";
      }
      if (!record_["faults"].is_null())
        does_not_stand(c, "the console was made faulty on purpose: this proves nothing of the device");
      else if (const auto unproved = unproved_.find(s["dut"]); unproved != unproved_.end())
        does_not_stand(c, "the bench's self-test does not hold for this DUT: " + unproved->second);
      verdicts.push_back(c["verdict"]);
    }
    if (!s["begun"].get<bool>()) verdicts.push_back(s["error"].is_null() ? "NotRun" : "Error");
    if (s["begun"].get<bool>() && !s["ended"].get<bool>() && s["error"].is_null())
      s["error"] = {{"kind", "Disconnected"},
                    {"object", "scenario " + s["id"].get<std::string>()},
                    {"cause", "its worker ended before it did"},
                    {"remedy", "see the timeline"}};
    if (!s["error"].is_null()) verdicts.push_back("Error");
    if (verdicts.empty()) verdicts.push_back("Inconclusive"), s["reason"] = "it made no check";
    for (const auto& verdict : kWorstFirst)
      if (std::find(verdicts.begin(), verdicts.end(), verdict) != verdicts.end()) {
        s["verdict"] = verdict;
        break;
      }
    return s;
  }

  LineFinder lines_;
  bool damaged_ = false;
  json record_{{"format", "hilcop run record 1"},
               {"writers", json::array()},
               {"benches", json::array()},
               {"power_edges", json::array()},
               {"boots", json::array()},
               {"gaps", json::array()},
               {"incidents", json::array()},
               {"host_load", json::array()},
               {"seed", nullptr},
               {"faults", nullptr},
               {"effort", ""}};
  std::map<std::string, std::string> unproved_;  // DUTs of a bench whose self-test refuses them, and why
  std::map<Key, json> scenarios_;
  std::vector<Key> order_;
};

}  // namespace

json make_run_record(const std::filesystem::path& run_dir) { return RecordMaker(run_dir).make(read_timeline(run_dir / "timeline")); }

void write_file(const std::filesystem::path& path, const std::string& content) {
  const auto part = path.string() + ".part";
  {
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    file << content;
    file.close();
    if (!file) throw error_from_errno(errno == 0 ? ENOSPC : errno, "file " + path.string(), "write");
  }
  std::filesystem::rename(part, path);
}

void write_manifest(const std::filesystem::path& run_dir) {
  std::map<std::string, json> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run_dir))
    if (entry.is_regular_file() && entry.path().filename() != "manifest.json")
      files[entry.path().lexically_relative(run_dir).string()] = {{"sha256", sha256_file(entry.path())}, {"bytes", entry.file_size()}};
  write_file(run_dir / "manifest.json", json{{"format", "hilcop manifest 1"}, {"files", files}}.dump(1) + "\n");
}

}  // namespace hilcop
