// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/report.h"

namespace hilcop {

using nlohmann::json;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

namespace {

std::string test_case(const json& scenario, const std::string& name, const std::string& verdict, const std::string& message,
                      double seconds) {
  std::string line = fmt::format(R"(  <testcase classname="{}.{}" name="{}" time="{:.3f}">)", escaped(scenario["dut"]),
                                 escaped(scenario["id"]), escaped(name), seconds);
  if (verdict == "Fail")
    line += fmt::format(R"(<failure type="Fail" message="{}"/>)", escaped(message));
  else if (verdict != "Pass" && verdict != "Attested" && verdict != "NotApplicable")
    line += fmt::format(R"(<error type="{}" message="{}"/>)", escaped(verdict), escaped(message));
  return line + "</testcase>\n";
}

}  // namespace

std::string junit_xml(const json& record) {
  std::string cases;
  int tests = 0, failures = 0, errors = 0;
  const auto add = [&](const json& scenario, const std::string& name, const std::string& verdict, const std::string& message,
                       double seconds) {
    cases += test_case(scenario, name, verdict, message, seconds);
    ++tests;
    failures += verdict == "Fail" ? 1 : 0;
    errors += verdict == "Error" || verdict == "Inconclusive" || verdict == "NotRun" ? 1 : 0;
  };
  for (const auto& scenario : record["scenarios"]) {
    const double seconds = scenario["elapsed_s"].is_number() ? scenario["elapsed_s"].get<double>() : 0;
    const auto& checks = scenario["checks"];
    for (const auto& check : checks)
      add(scenario, check["name"], check["verdict"],
          check["observed"].get<std::string>() + (check["reason"] == "" ? "" : " (" + check["reason"].get<std::string>() + ")"),
          checks.empty() ? 0 : seconds / static_cast<double>(checks.size()));
    if (!scenario["error"].is_null())
      add(scenario, "bench", "Error", scenario["error"].value("object", "") + ": " + scenario["error"].value("cause", ""), 0);
    if (checks.empty() && scenario["error"].is_null())
      add(scenario, "scenario", scenario["verdict"], scenario.value("reason", ""), seconds);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"hilcop\" tests=\"{}\" failures=\"{}\" errors=\"{}\" "
      "time=\"{:.3f}\">\n"
      "  <properties><property name=\"seed\" value=\"{}\"/><property name=\"effort\" value=\"{}\"/></properties>\n{} "
      "</testsuite>\n</testsuites>\n",
      tests, failures, errors, record.value("elapsed_s", 0.0), record["seed"].dump(), escaped(record.value("effort", "")), cases);
}

}  // namespace hilcop
