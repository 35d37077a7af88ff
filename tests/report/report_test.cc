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

TEST(Report, ADamagedTimelineIsSaid) {
  auto run = with_verdict("Pass");
  run.raw("garbage\n");
  EXPECT_THAT(report_html(run.record(), run.path()), HasSubstr("lines that cannot be read"));
}

}  // namespace
}  // namespace hilcop
