// SPDX-License-Identifier: Apache-2.0
#include "console/boot_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/boot_run.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> texts(const BootLog& boot) {
  std::vector<std::string> all;
  for (const auto& line : boot.lines) all.push_back(line.text);
  return all;
}

TEST(BootLog, ABootHasItsStagesItsLinesAndTheirTimes) {
  BootRun run;
  run.boot({"U-Boot\r\n", "hello\r\n", "READY\r\n"}).off();
  run.boot({"U-Boot\r\n", "READY\r\n"}).off();
  const auto boots = run.boots();
  ASSERT_EQ(boots.size(), 2u);
  EXPECT_THAT(texts(boots[0]), ElementsAre("U-Boot", "hello", "READY"));
  EXPECT_THAT(texts(boots[1]), ElementsAre("U-Boot", "READY"));
  EXPECT_EQ(boots[0].doubt(), "");
  EXPECT_EQ(boots[0].ending, BootLog::Ending::Ready);
  EXPECT_EQ(boots[0].stages.back().stage, "ready");
  EXPECT_EQ(boots[0].lines[1].span.begin, 8u);
  EXPECT_EQ(boots[0].lines[1].span.end, 13u);
  EXPECT_EQ(boots[0].lines[1].since_power_on, 2s);
}

TEST(BootLog, WhatCameAfterTheBenchBeganToTalkIsNotCompared) {
  BootRun run;
  run.boot({"READY\r\n", "login: "}).talk({"root\r\n", "Welcome\r\n"}).off();
  const auto boot = run.boots().at(0);
  EXPECT_THAT(texts(boot), ElementsAre("READY", "login:", "root", "Welcome"));
  EXPECT_FALSE(boot.lines[1].whole);
  EXPECT_TRUE(boot.lines[1].compared);
  EXPECT_FALSE(boot.lines[2].compared);
}

TEST(BootLog, AKernelMessageThatCutsInIsALineOfItsOwn) {
  BootRun run;
  run.boot({"data: mou[    1.500000] random: crng init done\r\nnted\r\n[    2.000000][    T1] a\r\nREADY\r\n"}).off();
  EXPECT_THAT(texts(run.boots().at(0)),
              ElementsAre("[    1.500000] random: crng init done", "data: mounted", "[    2.000000][    T1] a", "READY"));
}

TEST(BootLog, ABootThatWasCutOrStoodStillOrGoesOnProvesNoAbsence) {
  BootRun cut, stalled, open;
  cut.boot({"U-Boot\r\nhalf a li"}).off();
  stalled.boot({"U-Boot\r\n"}).event("d", "boot.late", {{"boot", 1}, {"missing", "ready"}}).off();
  open.boot({"U-Boot\r\n"});
  EXPECT_EQ(cut.boots().at(0).ending, BootLog::Ending::Cut);
  EXPECT_FALSE(cut.boots().at(0).lines.back().whole);
  EXPECT_THAT(cut.boots().at(0).doubt(), HasSubstr("was cut before its stage 'ready'"));
  EXPECT_EQ(stalled.boots().at(0).ending, BootLog::Ending::Stalled);
  EXPECT_EQ(open.boots().at(0).ending, BootLog::Ending::Open);
  EXPECT_NE(open.boots().at(0).doubt(), "");
}

TEST(BootLog, AGapIsADoubtUnlessThePowerWasOff) {
  for (const char* cause : {"overrun", "lost", "disk_full", "powered_off"}) {
    BootRun run;
    run.boot({"U-Boot\r\n", "READY\r\n"});
    run.event("d/main", "console.gap", {{"cause", cause}, {"offset", 8}, {"begin_ns", 1}, {"end_ns", 2}, {"detail", "x"}}).off();
    EXPECT_EQ(run.boots().at(0).doubt() == "", std::string(cause) == "powered_off") << cause;
    EXPECT_EQ(run.boots().at(0).gaps.size(), 1u);
  }
}

TEST(BootLog, AGapThatIsToldAfterThePowerOffIsOfTheBootWhoseBytesItCuts) {
  BootRun off, within, before;
  const auto gap = [](BootRun& of, int offset, std::int64_t begin_ns) -> BootRun& {
    of.boot({"U-Boot\r\n", "READY\r\n"}).off();
    return of.event("d/main", "console.gap", {{"cause", "overrun"}, {"offset", offset}, {"begin_ns", begin_ns}, {"end_ns", INT64_MAX}});
  };
  constexpr std::int64_t kLater = 100'000'000'000;
  EXPECT_EQ(gap(off, 15, kLater).boots().at(0).doubt(), "");  // of what came when it was off
  EXPECT_THAT(gap(within, 8, kLater).boots().at(0).doubt(), HasSubstr("gap"));
  EXPECT_THAT(gap(before, 15, 1).boots().at(0).doubt(), HasSubstr("gap"));
}

TEST(BootLog, AStageThatNobodyWaitedForIsSeenByItsWatcherInItsOrder) {
  BootRun run, early;
  const auto seen = [](BootRun& of, const char* stage, int at) {
    of.event("d/main", "console.watch", {{"watcher", stage}, {"begin", at}, {"end", at + 4}, {"line", ""}});
  };
  run.boot({"U-Boot READY\r\n"}, false);
  seen(run, "stage:boot-loader", 0), seen(run, "stage:ready", 7);
  early.boot({"READY U-Boot\r\n"}, false);
  seen(early, "stage:ready", 0), seen(early, "stage:boot-loader", 7);
  EXPECT_TRUE(run.off().boots().at(0).complete());
  EXPECT_EQ(early.off().boots().at(0).missing(), "ready");
}

TEST(BootLog, ARecordingThatIsMissingTornOrGarbageIsADoubtAndNoCrash) {
  BootRun run;
  run.boot({"U-Boot\r\n", "READY\r\n"}).off();
  EXPECT_EQ(run.boots().at(0).doubt(), "");
  run.write_index(std::string(24 * 5 + 7, '\xff'));
  EXPECT_EQ(run.boots().at(0).doubt(), "");  // its times are unknown, its lines are not
  EXPECT_LT(run.boots().at(0).lines[0].since_power_on, 0s);
  run.write_raw("U-Bo");
  EXPECT_THAT(run.boots().at(0).doubt(), HasSubstr("before the boot does"));
  run.remove_raw();
  EXPECT_THAT(run.boots().at(0).doubt(), HasSubstr("cannot be read"));
  EXPECT_THAT(run.boots().at(0).lines, IsEmpty());
}

TEST(BootLog, ARecordingThatEndsBeforeAStageThatWasSeenIsADoubt) {
  BootRun killed;
  killed.boot({"U-Boot\r\n", "hello\r\n", "READY\r\n"});
  EXPECT_EQ(killed.boots().at(0).doubt(), "");
  killed.write_raw("U-Boot\r\nhel");  // the worker was killed before it wrote the rest, and no power-off came
  EXPECT_THAT(killed.boots().at(0).doubt(), HasSubstr("before the boot does"));
}

TEST(BootLog, WithoutTimesALineAfterTheLastStageIsADoubt) {
  BootRun run;
  run.boot({"U-Boot\r\n", "READY\r\n", "telnetd: listening\r\n"}).off();
  EXPECT_EQ(run.boots().at(0).doubt(), "");
  run.write_index("");
  EXPECT_THAT(run.boots().at(0).doubt(), HasSubstr("index"));
}

TEST(BootLog, AnEventThatIsNotAsItShouldBeIsADoubtOfItsBoot) {
  BootRun run;
  run.boot({"READY\r\n"}).event("d/main", "console.gap", {{"cause", 7}}).off();
  EXPECT_THAT(run.boots().at(0).doubt(), HasSubstr("cannot be read"));
  run.event("d", "boot.begin", {{"boot", "x"}}).event("d", "boot.begin", nullptr).event("d/power", "power.edge", {{"on", 5}});
  EXPECT_EQ(run.boots().size(), 1u);
}

TEST(BootLog, AWorkerThatBeganAgainWroteOverTheRecording) {
  BootRun run;
  run.boot({"READY\r\n"}).off().open();
  EXPECT_THAT(run.boots().at(0).doubt(), HasSubstr("written over"));
}

TEST(BootLog, AWorkerThatBeganAgainWentOnWithTheRecording) {
  BootRun run, torn;
  run.boot({"U-Boot\r\n", "READY\r\n", "half a li"}).open_again().boot({"U-Boot\r\n", "READY\r\n"}).off();
  const auto boots = run.boots();
  ASSERT_EQ(boots.size(), 2u);
  for (const auto& boot : boots) EXPECT_EQ(boot.doubt(), "");
  EXPECT_THAT(texts(boots[0]), ElementsAre("U-Boot", "READY", "half a li"));
  EXPECT_THAT(texts(boots[1]), ElementsAre("U-Boot", "READY"));
  // Its worker died before it had written all that it saw; what follows is not this boot's.
  torn.boot({"U-Boot\r\n", "READY\r\n"}).open_again(3).boot({"U-Boot\r\n", "READY\r\n"}).off();
  EXPECT_THAT(torn.boots().at(0).doubt(), HasSubstr("before the boot does"));
}

TEST(BootLog, HostileBytesGiveReadableLinesThatDoNotDependOnTheChunks) {
  std::string bytes("\x1b[1;31mred\x1b[0m\r\n\0zero\xff\xfe\n\r\r\n\x1b[\x1b[9999999999999999999999999999999999999999999999x\n[[[[\n", 82);
  bytes += std::string(10'000, 'x') + "\n";
  BootLog whole, parts;
  take_lines(whole, bytes);
  EXPECT_EQ(whole.lines[0].text, "red");
  EXPECT_EQ(whole.lines[1].text, "\\x00zero\\xff\\xfe");
  for (const auto& line : whole.lines) EXPECT_LE(line.text.size(), 4u * 4096);
  for (const auto& line : whole.lines)
    EXPECT_EQ(
        line.text.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"),
        std::string::npos);
}

TEST(BootLog, AHugeBootIsReadInLinearTimeAndWhatIsTooMuchIsSaid) {
  BootRun run;
  std::string line = "[    1.000000] [[[[ 00:00 0x12 name[12 a flood of lines that says nothing\r\n", flood;
  while (flood.size() < (100u << 20)) flood += line;
  run.boot({flood, "READY\r\n"}).off();
  const auto boot = run.boots().at(0);
  EXPECT_THAT(boot.doubt(), HasSubstr("the rest was left out"));
  EXPECT_LE(boot.lines.size(), 500'000u);
}

}  // namespace
}  // namespace hilcop
