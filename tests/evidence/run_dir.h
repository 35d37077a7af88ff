// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fstream>
#include <string>

#include "evidence/run_record.h"
#include "evidence/timeline.h"
#include "fakes/temp_dir.h"

namespace hilcop {

/// A run directory that a test writes event by event, one nanosecond after the other.
class RunDir {
 public:
  RunDir() { std::filesystem::create_directories(dir_ / "timeline"); }
  const std::filesystem::path& path() const { return dir_.path(); }
  void raw(const std::string& text, const std::string& writer = "worker-a") const {
    std::ofstream(dir_ / ("timeline/" + writer + ".ndjson"), std::ios::app | std::ios::binary) << text;
  }
  void event(const std::string& kind, nlohmann::json data, const std::string& source = "worker-a") {
    raw(to_json(Event{from_ns(++now_), UtcTime(Nanoseconds(1'764'000'000'000'000'000 + now_)), source, kind, std::move(data)}).dump() +
        "\n");
  }
  /// The same of a scenario's own.
  void said(const std::string& kind, nlohmann::json data) {
    data["scenario"] = "X01";
    data["dut"] = "a";
    event(kind, std::move(data));
  }
  void plan() {
    event("plan",
          {{"scenarios", {{{"id", "X01"}, {"title", "t"}, {"clauses", {"5.9-1"}}, {"dut", "a"}, {"timeout_s", 60}}}},
           {"seed", 7},
           {"effort", "demo"}},
          "supervisor");
  }
  void begin() { said("scenario.begin", {{"id", "X01"}, {"title", "t"}, {"clauses", {"5.9-1"}}, {"attempt", 1}}); }
  void declare(const std::string& check) {
    said("check.declare", {{"check", check}, {"title", check}, {"clauses", {"5.9-1"}}, {"expected", "e"}});
  }
  void control(const std::string& check, bool ok) {
    said("check.control", {{"check", check}, {"control", "k"}, {"ok", ok}, {"detail", ""}, {"evidence", nlohmann::json::array()}});
  }
  void verdict(const std::string& check, const std::string& verdict, const std::string& observed = "o") {
    said("check.verdict", {{"check", check},
                           {"verdict", verdict},
                           {"reason", ""},
                           {"expected", "e"},
                           {"observed", observed},
                           {"evidence", nlohmann::json::array()}});
  }
  void end() { said("scenario.end", {{"id", "X01"}, {"error", nullptr}, {"traceback", ""}, {"elapsed_s", 1.5}}); }
  nlohmann::json record() const { return make_run_record(path()); }
  std::string scenario_verdict() const { return record().at("scenarios").at(0).at("verdict"); }

 private:
  TempDir dir_;
  std::int64_t now_ = 0;
};

}  // namespace hilcop
