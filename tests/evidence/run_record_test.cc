// SPDX-License-Identifier: Apache-2.0
// From events to verdicts: what a run record may say, and above all what it may not.
#include "run_dir.h"

#include <gtest/gtest.h>

#include "evidence/sha256.h"

namespace hilcop {
namespace {

RunDir passing() {
  RunDir run;
  run.plan();
  run.begin();
  run.declare("c");
  run.control("c", true);
  run.verdict("c", "Pass");
  return run;
}

TEST(RunRecord, AControlledPassThatEndedPasses) {
  auto run = passing();
  run.end();
  const auto record = run.record();
  EXPECT_EQ(record.at("scenarios").at(0).at("verdict"), "Pass");
  EXPECT_EQ(record.at("seed"), 7);
  EXPECT_EQ(record.at("damaged"), false);
}

TEST(RunRecord, APassWithoutAControlThatWasOkIsInconclusive) {
  for (const bool with_failed_control : {false, true}) {
    RunDir run;
    run.plan();
    run.begin();
    run.declare("c");
    if (with_failed_control) run.control("c", false);
    run.verdict("c", "Pass");
    run.end();
    EXPECT_EQ(run.scenario_verdict(), "Inconclusive");
  }
}

TEST(RunRecord, AScenarioThatDidNotEndIsAnErrorWhateverItsChecksSay) {
  const auto run = passing();
  const auto record = run.record();
  EXPECT_EQ(record.at("scenarios").at(0).at("verdict"), "Error");
  EXPECT_EQ(record.at("scenarios").at(0).at("checks").at(0).at("verdict"), "Pass");
}

TEST(RunRecord, NothingJudgedOnADutWhoseSelftestRefusesItStands) {
  for (const char* said : {"Pass", "Fail"})
    for (const std::string dut : {"a", "b"}) {
      RunDir run;
      run.plan();
      run.event("bench.open",
                {{"bench", "b"}, {"duts", {{dut, {{"selftest", {{"state", "failed"}, {"refuses", true}, {"text", "relay 1 is stuck"}}}}}}}},
                "bench");
      run.begin();
      run.declare("c");
      run.control("c", true);
      run.verdict("c", said);
      run.end();
      const auto check = run.record().at("scenarios").at(0).at("checks").at(0);
      EXPECT_EQ(check.at("verdict"), dut == "a" ? "Inconclusive" : said);
      if (dut != "a") continue;
      EXPECT_EQ(check.at("said"), said);
      EXPECT_NE(check.at("reason").get<std::string>().find("relay 1 is stuck"), std::string::npos);
    }
}

TEST(RunRecord, TimingThatIsNotAsDescribedIsDamage) {
  auto run = passing();
  run.event("bench.open",
            {{"bench", "b"}, {"duts", {{"a", {{"power_timing", {{"utc", "x"}, {"effect", "y"}, {"on", 3}, {"off", nullptr}}}}}}}}, "bench");
  run.end();
  EXPECT_EQ(run.record().at("damaged"), true);
  EXPECT_EQ(run.scenario_verdict(), "Inconclusive");
}

TEST(RunRecord, NothingJudgedOverConsolesMadeFaultyOnPurposeStands) {
  for (const char* said : {"Pass", "Fail"}) {
    RunDir run;
    run.plan();
    run.event("bench.open", {{"bench", "b"}, {"duts", nlohmann::json::object()}, {"faults", {{"drop_every", 5}}}}, "bench");
    run.begin();
    run.declare("c");
    run.control("c", true);
    run.verdict("c", said);
    run.end();
    const auto record = run.record();
    const auto& check = record.at("scenarios").at(0).at("checks").at(0);
    EXPECT_EQ(record.at("scenarios").at(0).at("verdict"), "Inconclusive");
    EXPECT_EQ(check.at("said"), said);
    EXPECT_EQ(record.at("faults").at("drop_every"), 5);
  }
}

TEST(RunRecord, WhatWasPlannedAndNotBegunIsNotRun) {
  RunDir run;
  run.plan();
  EXPECT_EQ(run.scenario_verdict(), "NotRun");
}

TEST(RunRecord, ALostScenarioIsAnErrorAndKeepsItsFail) {
  RunDir run;
  run.plan();
  run.begin();
  run.declare("c");
  run.verdict("c", "Fail", "lost a record");
  run.event("scenario.lost",
            {{"id", "X01"}, {"dut", "a"}, {"error", {{"kind", "Timeout"}, {"object", "o"}, {"cause", "c"}, {"remedy", "r"}}}},
            "supervisor");
  const auto scenario = run.record().at("scenarios").at(0);
  EXPECT_EQ(scenario.at("verdict"), "Fail");
  EXPECT_EQ(scenario.at("error").at("cause"), "c");
}

TEST(RunRecord, AFailIsNeverTakenBack) {
  RunDir run;
  run.plan();
  run.begin();
  run.declare("c");
  run.control("c", true);
  run.verdict("c", "Fail");
  run.verdict("c", "Pass");
  run.end();
  EXPECT_EQ(run.scenario_verdict(), "Fail");
}

TEST(RunRecord, AnInconclusiveIsNotMendedByALaterPass) {
  RunDir run;
  run.plan();
  run.begin();
  run.declare("c");
  run.control("c", true);
  run.verdict("c", "Inconclusive");
  run.verdict("c", "Pass");
  run.end();
  EXPECT_EQ(run.scenario_verdict(), "Inconclusive");
}

TEST(RunRecord, ADeclaredCheckThatWasNeverJudgedIsInconclusive) {
  auto run = passing();
  run.declare("d");
  run.end();
  EXPECT_EQ(run.scenario_verdict(), "Inconclusive");
}

TEST(RunRecord, AScenarioWithoutACheckIsInconclusive) {
  RunDir run;
  run.plan();
  run.begin();
  run.end();
  EXPECT_EQ(run.scenario_verdict(), "Inconclusive");
}

TEST(RunRecord, AVerdictThatIsNoneNeverCountsAsAPass) {
  auto run = passing();
  run.declare("d");
  run.control("d", true);
  run.verdict("d", "Passed");
  run.end();
  EXPECT_EQ(run.scenario_verdict(), "Inconclusive");
}

// The line that cannot be read may have been the Fail.
TEST(RunRecord, ADamagedLineLetsNothingPassAndLeavesAFail) {
  auto run = passing();
  run.raw("{\"steady_ns\": 3, \"kind\": \"check.verdict\"\n");
  run.end();
  EXPECT_EQ(run.scenario_verdict(), "Inconclusive");
  EXPECT_EQ(run.record().at("damaged"), true);
  RunDir failing;
  failing.plan();
  failing.begin();
  failing.declare("c");
  failing.raw("nonsense\n");
  failing.verdict("c", "Fail");
  failing.end();
  EXPECT_EQ(failing.scenario_verdict(), "Fail");
}

TEST(RunRecord, ATornLastLineIsToldAndTheRestStands) {
  auto run = passing();
  run.end();
  run.raw("{\"steady_ns\": 99, \"ki");
  const auto record = run.record();
  EXPECT_EQ(record.at("torn"), nlohmann::json::array({"worker-a.ndjson"}));
  EXPECT_EQ(record.at("scenarios").at(0).at("verdict"), "Pass");
}

TEST(RunRecord, TheManifestNamesEveryFileWithItsHash) {
  const auto run = passing();
  write_file(run.path() / "x.txt", "abc");
  write_manifest(run.path());
  std::ifstream file(run.path() / "manifest.json");
  const auto manifest = nlohmann::json::parse(file);
  EXPECT_EQ(manifest.at("files").at("x.txt").at("sha256"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(manifest.at("files").size(), 2u);
}

}  // namespace
}  // namespace hilcop
