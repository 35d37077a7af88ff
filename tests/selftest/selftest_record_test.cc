// SPDX-License-Identifier: Apache-2.0
// What is kept of a self-test, and until when a failure stands.
#include "bench/calibration.h"
#include "selftest_of_bench.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(SelftestOfBench, AFailedOneRefusesItsDutUntilOnePasses) {
  const auto bench = config();
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "none");
  EXPECT_EQ(selftest_state(bench, "a").at("refuses"), false);
  save_selftest(bench, {"a", "b"}, {{"power", "a", "", SelftestGrade::Fail, "dead"}, {"clock", "", "", SelftestGrade::Pass, ""}}, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "failed");
  EXPECT_EQ(selftest_state(bench, "a").at("refuses"), true);
  EXPECT_THAT(selftest_state(bench, "a").at("text").get<std::string>(), HasSubstr("power: dead"));
  EXPECT_EQ(selftest_state(bench, "b").at("state"), "passed");
  auto changed = bench;
  changed.sha256 = "other";
  EXPECT_EQ(selftest_state(changed, "a").at("state"), "failed");
  EXPECT_EQ(selftest_state(changed, "b").at("state"), "outdated");
  EXPECT_EQ(selftest_state(changed, "b").at("refuses"), false);
  changed.selftest_required = true;
  EXPECT_EQ(selftest_state(changed, "b").at("refuses"), true);
  auto strict = bench;
  strict.selftest_required = true;
  EXPECT_EQ(selftest_state(strict, "b").at("refuses"), false);
  strict.selftest_max_age = -1h;
  EXPECT_EQ(selftest_state(strict, "b").at("state"), "outdated");
  save_selftest(bench, {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}}, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "passed");
  save_selftest(bench, {"a", "b"}, {{"clock", "", "", SelftestGrade::Fail, "jumped"}}, "out");
  EXPECT_EQ(selftest_state(bench, "b").at("state"), "failed");
  for (const auto& file : std::filesystem::directory_iterator(dir_ / "state/selftest")) std::filesystem::resize_file(file, 20);
  EXPECT_EQ(selftest_state(bench, "a").at("refuses"), true) << "a torn record may have been one that failed";
}

TEST_F(SelftestOfBench, WhatATornRecordMayHaveFoundIsNotClearedByAQuickOne) {
  const auto bench = config();
  const std::vector<SelftestItem> passes{{"power", "a", "", SelftestGrade::Pass, ""}};
  save_selftest(bench, {"a"}, passes, "out");
  std::filesystem::resize_file(std::filesystem::directory_iterator(dir_ / "state/selftest")->path(), 20);
  for (int n = 0; n < 2; ++n) {  // the second rests on the first
    EXPECT_EQ(save_selftest(bench, {"a"}, passes, "out", true).at("result"), "fail");
    EXPECT_THAT(selftest_state(bench, "a").at("text").get<std::string>(), HasSubstr("its record could not be read"));
  }
  // Nor by one that could not even open it, or did not test all.
  save_selftest(bench, {"a", "b"}, {{"instruments", "a", "", SelftestGrade::Fail, "unplugged"}}, "out");
  save_selftest(bench, {"a"}, passes, "out");
  EXPECT_THAT(selftest_state(bench, "a").at("text").get<std::string>(), HasSubstr("its record could not be read"));
  save_selftest(bench, {"a", "b"}, {{"power", "a", "", SelftestGrade::Pass, ""}, {"power", "b", "", SelftestGrade::Pass, ""}}, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "passed");
}

TEST_F(SelftestOfBench, WhatAQuickOneDoesNotAskStaysFailed) {
  const auto bench = config();
  save_selftest(bench, {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}, {"answers", "a", "console main", SelftestGrade::Fail, "mute"}},
                "out");
  SelftestItem not_asked{"answers", "a", "", SelftestGrade::NotProved, "not asked"};
  not_asked.looked = false;
  for (int n = 0; n < 2; ++n) {  // the second rests on the first
    const auto record = save_selftest(bench, {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}, not_asked}, "out", true);
    EXPECT_EQ(record.at("result"), "fail");
    EXPECT_EQ(record.at("quick"), true);
    EXPECT_EQ(record.at("items").back().at("text"), "mute");
    EXPECT_TRUE(record.at("items").back().contains("since"));
    EXPECT_EQ(selftest_state(bench, "a").at("refuses"), true);
    EXPECT_THAT(selftest_state(bench, "a").at("text").get<std::string>(), HasSubstr("answers (console main): mute"));
  }
  // One that could not even open it has not looked either.
  save_selftest(bench, {"a"}, {{"instruments", "a", "", SelftestGrade::Fail, "unplugged"}}, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("failures").size(), 2u);
  save_selftest(bench, {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}, {"answers", "a", "console main", SelftestGrade::Pass, ""}},
                "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "passed");
}

TEST_F(SelftestOfBench, WhatOnlyShowsWithTwoStaysFailedUntilBothAreTested) {
  b_->contact_ = 0;
  const auto bench = config();
  save_selftest(bench, {"a", "b"}, test(), "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "failed");
  const auto alone = test({"a"});
  EXPECT_THAT(failures(alone), IsEmpty());
  save_selftest(bench, {"a"}, alone, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "failed");
  b_->contact_ = 1;
  save_selftest(bench, {"a", "b"}, test(), "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "passed");
  EXPECT_EQ(selftest_state(bench, "b").at("state"), "passed");
}

TEST_F(SelftestOfBench, AGroupThatSharesAKeeperSharesWhatIsKnownOfItsBenches) {
  std::filesystem::create_directories(dir_ / "run/records");
  ::setenv("HILCOP_KEEPER_SOCKET", (dir_ / "run/keeper.sock").c_str(), 1);
  std::filesystem::create_directories(dir_ / "theirs");
  for (const auto* part : {"bench.yaml", "plain.yaml"}) std::filesystem::copy_file(dir_ / part, dir_ / "theirs" / part);
  const auto theirs = load_bench_config(dir_ / "theirs/bench.yaml", dir_.path(), table());
  save_selftest(config(), {"a"}, {{"power", "a", "", SelftestGrade::Fail, "dead"}}, "out");
  Calibration timing;
  timing.dut = "planted/a";
  save_calibration(timing);
  ::setenv("HILCOP_STATE_DIR", (dir_ / "another").c_str(), 1);  // another user, with another home and lab-config of his own
  EXPECT_EQ(selftest_state(theirs, "a").at("refuses"), true);
  EXPECT_THAT(selftest_state(theirs, "a").at("text").get<std::string>(), HasSubstr("power: dead"));
  EXPECT_TRUE(find_calibration(timing));
  for (const auto& file : std::filesystem::directory_iterator(dir_ / "run/records"))
    EXPECT_EQ(file.status().permissions(), std::filesystem::perms(0660)) << file.path();
  // And he may say that it is mended.
  save_selftest(theirs, {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}}, "out");
  ::setenv("HILCOP_STATE_DIR", (dir_ / "state").c_str(), 1);
  EXPECT_EQ(selftest_state(config(), "a").at("state"), "passed");
  ::unsetenv("HILCOP_KEEPER_SOCKET");
  EXPECT_EQ(selftest_state(config(), "a").at("state"), "none") << "whoever has a keeper of his own has records of his own";
}

TEST_F(SelftestOfBench, ARecordThatIsALinkIsNeitherReadNorWrittenThrough) {
  std::filesystem::create_directories(dir_ / "run/records");
  ::setenv("HILCOP_KEEPER_SOCKET", (dir_ / "run/keeper.sock").c_str(), 1);
  save_selftest(config(), {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}}, "out");
  const auto record = std::filesystem::directory_iterator(dir_ / "run/records")->path();
  std::filesystem::rename(record, dir_ / "precious");
  std::filesystem::create_symlink(dir_ / "precious", record);
  EXPECT_EQ(selftest_state(config(), "a").at("refuses"), true);
  const auto size = std::filesystem::file_size(dir_ / "precious");
  EXPECT_THROW(save_selftest(config(), {"a"}, {{"power", "a", "", SelftestGrade::Fail, "a longer text"}}, "out"), Error);
  EXPECT_EQ(std::filesystem::file_size(dir_ / "precious"), size);
  ::unsetenv("HILCOP_KEEPER_SOCKET");
}

}  // namespace
}  // namespace hilcop
