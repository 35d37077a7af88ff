// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/run_dir.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::Not;

RunDir with_verdict(const std::string& verdict, const std::string& observed = "o") {
  RunDir run;
  run.plan();
  run.begin();
  run.declare("c");
  run.control("c", true);
  run.verdict("c", verdict, observed);
  run.end();
  return run;
}

TEST(Junit, OnlyAPassLooksPassed) {
  EXPECT_THAT(junit_xml(with_verdict("Pass").record()), AllOf(HasSubstr(R"(failures="0" errors="0")"), Not(HasSubstr("<error"))));
  EXPECT_THAT(junit_xml(with_verdict("Fail").record()),
              AllOf(HasSubstr(R"(failures="1" errors="0")"), HasSubstr("<failure type=\"Fail\"")));
  EXPECT_THAT(junit_xml(with_verdict("Inconclusive").record()),
              AllOf(HasSubstr(R"(errors="1")"), HasSubstr("<error type=\"Inconclusive\"")));
  RunDir planned;
  planned.plan();
  EXPECT_THAT(junit_xml(planned.record()), AllOf(HasSubstr(R"(errors="1")"), HasSubstr("<error type=\"NotRun\"")));
  RunDir unfinished;
  unfinished.plan();
  unfinished.begin();
  EXPECT_THAT(junit_xml(unfinished.record()), HasSubstr("<error type=\"Error\""));
}

TEST(Report, TellsHowExactlyTheBenchSwitchesAndWhetherItWasTested) {
  const nlohmann::json spread{{"count", 20}, {"median_s", 0.12}, {"uncertainty_s", 0.0352}};
  RunDir run = with_verdict("Pass");
  const nlohmann::json power{{"switch_count", 120}, {"rated_switches", 100}};
  const nlohmann::json timing{{"utc", "2026-11-25T03:00:00Z"}, {"effect", "console <main>"}, {"on", nullptr}, {"off", spread}};
  run.event("bench.open",
            {{"bench", "b"},
             {"duts",
              {{"a",
                {{"instruments", {{"power", power}}},
                 {"power_timing", timing},
                 {"selftest", {{"state", "failed"}, {"refuses", true}, {"text", "a <dead> relay"}}}}}}}},
            "bench");
  const auto html = report_html(run.record(), run.path());
  EXPECT_THAT(html, HasSubstr("120.0 ms after its command, ± 35.2 ms (20 switchings)"));
  EXPECT_THAT(html, HasSubstr("120 of 100"));
  EXPECT_THAT(html, HasSubstr("console &lt;main&gt;, 2026-11-25"));
  EXPECT_THAT(html, HasSubstr("a &lt;dead&gt; relay"));
  EXPECT_THAT(html, HasSubstr("not known"));
  EXPECT_THAT(report_html(with_verdict("Pass").record(), run.path()), Not(HasSubstr("<h2>Bench</h2>")));
}

TEST(Report, ALoadThatWasNotMeasuredIsNoLoadOfZero) {
  RunDir run = with_verdict("Pass");
  EXPECT_THAT(report_html(run.record(), run.path()), AllOf(HasSubstr("not measured"), Not(HasSubstr("% of all processors"))));
  auto record = run.record();
  record["host_load"] = {{{"steady_ns", 1}, {"load1", 3.0}, {"cpu_busy", 0.71}}, {{"steady_ns", 2}, {"load1", 1.0}, {"cpu_busy", 0.2}}};
  EXPECT_THAT(report_html(record, run.path()), HasSubstr("at most 71 % of all processors"));
}

TEST(Report, ADevicesTextCannotBreakOut) {
  const std::string hostile = "</script><script>alert('x')</script><img src=x onerror=\"y\">\x01";
  auto run = with_verdict("Fail", hostile);
  std::filesystem::create_directories(run.path() / "console");
  write_file(run.path() / "console/a-main.log", hostile + "\n");
  for (const auto& text : {report_html(run.record(), run.path()), junit_xml(run.record())}) {
    EXPECT_THAT(text, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(text, Not(HasSubstr("<img")));
    EXPECT_THAT(text, Not(HasSubstr("\x01")));
    EXPECT_THAT(text, HasSubstr("&lt;script&gt;"));
  }
}

TEST(Report, LoadsNothingFromAnywhere) {
  const auto run = with_verdict("Pass");
  const auto html = report_html(run.record(), run.path());
  for (const char* elsewhere : {"=\"http", "=\"//", "src=", "<link", "<script"}) EXPECT_THAT(html, Not(HasSubstr(elsewhere)));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
}

TEST(Report, EvidenceLinksToTheLineOfTheLog) {
  RunDir run;
  run.plan();
  run.begin();
  run.declare("c");
  run.said("check.verdict", {{"check", "c"},
                             {"verdict", "Fail"},
                             {"reason", ""},
                             {"expected", "e"},
                             {"observed", "o"},
                             {"evidence", {{{"path", "console/a-main.raw"}, {"begin", 4}, {"end", 7}, {"text", "two"}}}}});
  run.end();
  std::filesystem::create_directories(run.path() / "console");
  write_file(run.path() / "console/a-main.raw", "one\ntwo\n");
  write_file(run.path() / "console/a-main.log", "0.001 one\n0.002 two\n");
  const auto html = report_html(run.record(), run.path());
  EXPECT_THAT(html, HasSubstr("href=\"#console-a-main-log-2\""));
  EXPECT_THAT(html, HasSubstr("id=\"console-a-main-log-2\" class=\"hit\""));
}

TEST(Report, ARunWithoutAnythingStillHasAReport) {
  RunDir run;
  run.raw("");
  EXPECT_THAT(report_html(run.record(), run.path()), HasSubstr("<h1>hilcop report</h1>"));
  EXPECT_THAT(junit_xml(run.record()), HasSubstr("tests=\"0\""));
}

RunDir with_boots(const std::vector<std::vector<double>>& boots) {
  auto run = with_verdict("Pass");
  int number = 0;
  for (const auto& times : boots) {
    run.event("boot.begin", {{"boot", ++number}, {"cause", "power"}, {"offset", 0}}, "a");
    const std::vector<std::string> stages{"loader", "<ready>"};
    for (std::size_t i = 0; i < times.size(); ++i)
      run.event("boot.stage",
                {{"boot", number},
                 {"stage", stages[i]},
                 {"elapsed_s", times[i]},
                 {"limit_s", 5.0},
                 {"within", times[i] <= 5},
                 {"begin", 0},
                 {"end", 1}},
                "a");
  }
  return run;
}

TEST(Report, TheSpreadOfAStageAndEachBootAreDrawn) {
  const auto run = with_boots({{1, 2}, {1.5, 4}, {2, 6}, {1}});
  const auto html = report_html(run.record(), run.path());
  EXPECT_THAT(html, HasSubstr("loader: 4 boots, least 1.000 s, median 1.250 s, most 2.000 s, spread 1.000 s, limit 5 s"));
  EXPECT_THAT(html, HasSubstr("&lt;ready&gt;: 3 boots, least 2.000 s, median 4.000 s, most 6.000 s, spread 4.000 s"));
  EXPECT_THAT(html, HasSubstr("boot 3: &lt;ready&gt; after 6.000 s (limit 5 s): late"));
  EXPECT_THAT(html, HasSubstr("boot 4 did not come to '&lt;ready&gt;'"));
  EXPECT_THAT(html, Not(HasSubstr("<ready>")));
}

TEST(Report, ABootThatBeginsAsItShouldNotIsDrawnToo) {
  auto run = with_boots({{1, 2}});
  run.event("boot.begin", {{"cause", "power"}}, "a");
  run.event("boot.begin", {{"boot", "<img>"}}, "a");
  EXPECT_THAT(report_html(run.record(), run.path()), AllOf(HasSubstr("did not come to"), Not(HasSubstr("<img>"))));
}

TEST(Report, BootsWithoutTimeOrWithoutStagesAreDrawnToo) {
  for (const auto& boots : std::vector<std::vector<std::vector<double>>>{{{0, 0}}, {{}, {}}, {{}, {1}}}) {
    const auto run = with_boots(boots);
    const auto html = report_html(run.record(), run.path());
    EXPECT_THAT(html, Not(HasSubstr("nan")));
    EXPECT_THAT(html, Not(HasSubstr("inf\"")));
  }
}

TEST(Report, LinesThatNotEveryBootHasAreListedAndEscaped) {
  const auto run = with_boots({{1, 2}, {1, 2}});
  auto record = run.record();
  record["boot_lines"]["a"] = {{"boots", 2},
                               {"lines", {{{"text", "<b>x"}, {"in_boots", 1}, {"of", 2}, {"file", "console/a-main.log"}, {"line", 7}}}}};
  const auto html = report_html(record, run.path());
  EXPECT_THAT(html, HasSubstr("Lines that not every one of 2 complete boots has: 1"));
  EXPECT_THAT(html, HasSubstr("1 of 2</td><td><code>&lt;b&gt;x</code></td><td><a href=\"#console-a-main-log-7\">"));
  record["boot_lines"]["a"] = {{"boots", 1}, {"lines", nlohmann::json::array()}};
  EXPECT_THAT(report_html(record, run.path()), HasSubstr("Lines are not compared"));
}

TEST(Report, ADamagedTimelineIsSaid) {
  auto run = with_verdict("Pass");
  run.raw("garbage\n");
  EXPECT_THAT(report_html(run.record(), run.path()), HasSubstr("lines that cannot be read"));
}

}  // namespace
}  // namespace hilcop
