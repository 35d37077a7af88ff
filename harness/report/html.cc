// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>

#include "report/page_style.h"
#include "report/report.h"
#include "report/timeline_svg.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::size_t kWholeLog = 20'000;  // lines; of a longer log only what evidence points at is shown
constexpr std::uint64_t kAround = 200;

std::string badge(const std::string& verdict) { return fmt::format(R"(<span class="v {0}">{0}</span>)", escaped(verdict)); }

std::string links(const json& evidence) {
  std::string html;
  for (const auto& entry : evidence) {
    const std::string text = entry.value("text", "");
    if (entry.contains("log") && entry.value("line", 0) > 0)
      html += fmt::format(R"(<a href="#{}-{}">{} line {}</a> <code>bytes {}–{}</code> {}<br>)", anchor(entry["log"]), entry["line"].dump(),
                          escaped(entry["log"]), entry["line"].dump(), entry["begin"].dump(), entry["end"].dump(), escaped(text));
    else
      html += fmt::format(R"(<a href="{0}">{0}</a> {1}<br>)", escaped(entry.value("path", "")), escaped(text));
  }
  return html;
}

std::string check_html(const json& check) {
  std::string controls;
  for (const auto& control : check["controls"])
    controls += fmt::format(R"(<li class="{}">{}{}{}</li>)", control["ok"] == true ? "ok" : "bad", escaped(control["control"]),
                            control["detail"] == "" ? "" : ": " + escaped(control["detail"]),
                            control["evidence"].empty() ? "" : "<br>" + links(control["evidence"]));
  std::string html = fmt::format(R"(<section class="check"><h4>{} {}</h4><dl><dt>Expected</dt><dd>{}</dd>)", badge(check["verdict"]),
                                 escaped(check["name"]), escaped(check["expected"]));
  if (check["observed"] != "") html += fmt::format("<dt>Observed</dt><dd>{}</dd>", escaped(check["observed"]));
  if (check["reason"] != "") html += fmt::format("<dt>Reason</dt><dd>{}</dd>", escaped(check["reason"]));
  if (!controls.empty()) html += fmt::format("<dt>Controls</dt><dd><ul>{}</ul></dd>", controls);
  if (!check["evidence"].empty()) html += fmt::format("<dt>Evidence</dt><dd>{}</dd>", links(check["evidence"]));
  return html + "</dl></section>";
}

std::string scenario_html(const json& scenario) {
  std::string clauses;
  for (const auto& clause : scenario["clauses"]) clauses += (clauses.empty() ? "" : ", ") + escaped(clause);
  std::string html =
      fmt::format(R"(<article><h3>{} {} <small>{} on {}{}</small></h3>)", badge(scenario["verdict"]), escaped(scenario["id"]),
                  escaped(scenario["title"]), escaped(scenario["dut"]), clauses.empty() ? "" : " · EN 303 645 " + clauses);
  if (const auto reason = scenario.value("reason", ""); !reason.empty()) html += fmt::format(R"(<p class="note">{}</p>)", escaped(reason));
  if (!scenario["error"].is_null())
    html += fmt::format(R"(<p class="error"><b>{}</b>: {} {}</p>)", escaped(scenario["error"].value("object", "")),
                        escaped(scenario["error"].value("cause", "")), escaped(scenario["error"].value("remedy", "")));
  for (const auto& entry : scenario["log"])
    if (entry["level"] != "info") html += fmt::format(R"(<p class="note">{}: {}</p>)", escaped(entry["level"]), escaped(entry["text"]));
  for (const auto& check : scenario["checks"]) html += check_html(check);
  return html + "</article>";
}

std::string milliseconds(const json& spread) {
  if (spread.is_null()) return "not known";
  return fmt::format("{:.1f} ms after its command, ± {:.1f} ms ({} switchings)", spread["median_s"].get<double>() * 1e3,
                     spread["uncertainty_s"].get<double>() * 1e3, spread["count"].get<int>());
}

// How exactly the bench switches, how worn it is, and whether somebody has looked that it works.
std::string bench_html(const json& record) {
  std::map<std::string, json> last;  // a worker that took the place of another opened it again
  for (const auto& bench : record["benches"])
    for (const auto& [name, dut] : bench["duts"].items()) last[name] = dut;
  std::string rows;
  for (const auto& [name, dut] : last) {
    const auto timing = dut.value("power_timing", json());
    const auto selftest = dut.value("selftest", json::object());
    const auto power = dut.value("instruments", json::object()).value("power", json::object());
    const bool known = timing.is_object();
    std::string switched = power.contains("switch_count") ? power["switch_count"].dump() : "-";
    if (const auto rated = power.value("rated_switches", std::uint64_t{0}); rated > 0) switched += fmt::format(" of {}", rated);
    const std::string state = selftest.value("state", "none");
    rows += fmt::format(R"(<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class="{}">{}</td></tr>)", escaped(name),
                        known ? milliseconds(timing["on"]) : "not calibrated", known ? milliseconds(timing["off"]) : "not calibrated",
                        known ? escaped(timing["effect"]) + ", " + escaped(timing["utc"].get<std::string>().substr(0, 10)) : "-",
                        escaped(switched),
                        state == "passed"                  ? "Pass"
                        : selftest.value("refuses", false) ? "Fail"
                                                           : "Inconclusive",
                        escaped(selftest.value("text", state)));
  }
  if (rows.empty()) return "";
  return R"(<h2>Bench</h2><table class="summary"><thead><tr><th>Device</th><th>Power comes</th><th>Power goes</th><th>Seen by</th>)"
         R"(<th>Switched before</th><th>Self-test</th></tr></thead><tbody>)" +
         rows + "</tbody></table>";
}

// Lines that evidence points at: a log that is too long is shown around them alone.
std::set<std::uint64_t> wanted_lines(const json& record, const std::string& log) {
  std::set<std::uint64_t> lines;
  const auto note = [&](const json& evidence) {
    for (const auto& entry : evidence)
      if (entry.value("log", "") == log)
        lines.insert(entry.value("line", std::uint64_t{0})), lines.insert(entry.value("end_line", std::uint64_t{0}));
  };
  for (const auto& scenario : record["scenarios"])
    for (const auto& check : scenario["checks"]) {
      note(check["evidence"]);
      for (const auto& control : check["controls"]) note(control["evidence"]);
    }
  return lines;
}

std::string log_html(const json& record, const std::filesystem::path& run_dir, const std::string& log) {
  std::ifstream file(run_dir / log);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  const auto wanted = wanted_lines(record, log);
  const bool whole = lines.size() <= kWholeLog;
  std::string html = fmt::format(R"(<details class="log"{}><summary>{} ({} lines)</summary><pre>)", " open", escaped(log), lines.size());
  std::uint64_t number = 0;
  bool hidden = false;
  for (const auto& line : lines) {
    ++number;
    const auto near = wanted.lower_bound(number > kAround ? number - kAround : 0);
    if (!whole && (near == wanted.end() || *near > number + kAround)) {
      if (!std::exchange(hidden, true)) html += "…\n";
      continue;
    }
    hidden = false;
    html += fmt::format(R"(<span id="{}-{}"{}><i>{}</i> {}</span>)", anchor(log), number, wanted.contains(number) ? R"( class="hit")" : "",
                        number, escaped(line)) +
            "\n";
  }
  return html + "</pre></details>";
}

std::string facts(const json& record) {
  std::string rows;
  const auto row = [&](const std::string& name, const std::string& value) {
    rows += fmt::format("<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(value));
  };
  row("Begun", record.value("begin_utc", "?"));
  row("Lasted", fmt::format("{:.1f} s", record.value("elapsed_s", 0.0)));
  row("Effort", record.value("effort", ""));
  row("Seed", record["seed"].dump());
  for (const auto& writer : record["writers"])
    if (writer["writer"] == "supervisor") row("hilcop", writer.value("version", "") + " on " + writer.value("host", ""));
  for (const auto& bench : record["benches"])
    for (const auto& [name, dut] : bench["duts"].items())
      row("Device " + name, dut.value("board", "") + ", serial number " + dut.value("serial_number", "-") + ", bench " +
                                bench.value("bench", "") + " (sha256 " + bench.value("sha256", "").substr(0, 12) + "), board file sha256 " +
                                dut.value("board_sha256", "").substr(0, 12));
  double busiest = 0;
  for (const auto& load : record["host_load"]) busiest = std::max(busiest, load["cpu_busy"].get<double>());
  row("Host load", record["host_load"].empty() ? "not measured: the run was over before (every 10 s)"
                                               : fmt::format("at most {:.0f} % of all processors", busiest * 100));
  if (record.value("damaged", false)) row("Timeline", "has lines that cannot be read: no check passes");
  for (const auto& file : record.value("torn", json::array())) row("Torn", file.get<std::string>() + " ends in the middle of a line");
  if (!record.value("faults", json()).is_null())
    row("Faults", "were put on the consoles on purpose: no check says Pass or Fail. " + record["faults"].dump());
  row("Gaps in recordings", std::to_string(record["gaps"].size()));
  return "<table class=\"facts\">" + rows + "</table>";
}

}  // namespace

std::string anchor(const std::string& log) {
  std::string id;
  for (const char c : log) id += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  return id;
}

std::string report_html(const json& record, const std::filesystem::path& run_dir) {
  std::string body, summary;
  std::set<std::string> duts;
  for (const auto& scenario : record["scenarios"]) {
    duts.insert(scenario["dut"].get<std::string>());
    summary += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", badge(scenario["verdict"]), escaped(scenario["id"]),
                           escaped(scenario["dut"]),
                           scenario["elapsed_s"].is_number() ? fmt::format("{:.1f} s", scenario["elapsed_s"].get<double>()) : "-");
    body += scenario_html(scenario);
  }
  std::string boots, logs;
  for (const auto& dut : duts)
    if (const auto svg = boots_svg(record, dut); !svg.empty())
      boots +=
          "<h2>Boots of " + escaped(dut) + "</h2><figure>" + svg +
          "<figcaption>Above, each stage over all boots: least to most, the middle half, the median. Below, each row a boot: when each "
          "stage came; a red edge is late, × did not come to the last stage. " +
          boots_legend(record, dut) + "</figcaption></figure>" + boot_lines_html(record, dut);
  std::vector<std::string> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(run_dir / "console", none))
    if (entry.path().extension() == ".log") files.push_back("console/" + entry.path().filename().string());
  std::sort(files.begin(), files.end());
  for (const auto& log : files) logs += log_html(record, run_dir, log);
  return std::string(
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
             "content=\"width=device-width\"><title>hilcop report</title><style>") +
         kPageStyle + "</style></head><body><main><header><h1>hilcop report</h1>" + facts(record) +
         "</header><table class=\"summary\"><thead><tr><th>Verdict</th><th>Scenario</th><th>Device</th><th>Time</th></tr></thead><tbody>" +
         summary + "</tbody></table>" + bench_html(record) + "<h2>Timeline</h2><figure>" + timeline_svg(record) +
         "<figcaption>Power as a level, boot stages as ticks above it; red dots are cuts that lost sectors.</figcaption></figure>" + boots +
         "<h2>Checks</h2>" + body + "<h2>Console</h2>" + logs + "</main></body></html>\n";
}

}  // namespace hilcop
