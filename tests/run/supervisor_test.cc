// SPDX-License-Identifier: Apache-2.0
// Workers that misbehave: each scenario is an Error, nothing hangs, nothing of theirs lives on.
#include "run/supervisor.h"
#include "fakes/places.h"

#include <signal.h>

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "evidence/run_record.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

class SupervisorTest : public testing::Test {
 protected:
  nlohmann::json run(const std::string& mode, int scenarios = 1) {
    RunOptions options;
    options.run_dir = dir_ / "run";
    std::filesystem::create_directories(options.run_dir / "timeline");
    options.duts = {"a"};
    for (int i = 0; i < scenarios; ++i)
      options.scenarios.push_back({"X0" + std::to_string(i), "t", {}, {{"demo", kLimit}, {"test", kLimit}, {"standard", kLimit}}, "f"});
    options.grace = 300ms;
    options.python.worker = {(source_dir() / "tests/run/fake_worker.py").string(), mode};
    supervise(options);
    return make_run_record(options.run_dir);
  }
  std::string output() const {
    std::ifstream file(dir_ / "run/worker-a.out");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static std::string cause(const nlohmann::json& record, std::size_t index = 0) {
    return record.at("scenarios").at(index).at("error").at("cause");
  }

  // Within it a Python must do what its mode says; no mode but the one that ignores it lasts so long.
  static constexpr double kLimit = 3;
  TempDir dir_{true};
};

TEST_F(SupervisorTest, AWorkerThatDiesAtOnceIsQuotedWithWhatItSaid) {
  const auto record = run("dies-at-once");
  EXPECT_EQ(record.at("scenarios").at(0).at("verdict"), "Error");
  EXPECT_THAT(cause(record), HasSubstr("cannot start: no such thing"));
}

TEST_F(SupervisorTest, ABenchThatCannotBeOpenedIsAnErrorForEveryScenario) {
  const auto record = run("fails", 3);
  ASSERT_EQ(record.at("scenarios").size(), 3u);
  for (const auto& scenario : record.at("scenarios")) {
    EXPECT_EQ(scenario.at("verdict"), "Error");
    EXPECT_EQ(scenario.at("error").at("cause"), "held by x");
  }
}

TEST_F(SupervisorTest, GarbageOnThePipeIsNoAnswer) {
  const auto begin = real_clock().now();
  EXPECT_EQ(run("garbage").at("scenarios").at(0).at("verdict"), "Error");
  EXPECT_LT(real_clock().now() - begin, 20s);
}

TEST_F(SupervisorTest, AKilledWorkerIsReplacedForTheRestAndGivenUpAfterThreeDeaths) {
  const auto record = run("killed", 5);
  EXPECT_THAT(cause(record, 0), HasSubstr("SIGKILL"));
  EXPECT_THAT(cause(record, 2), HasSubstr("SIGKILL"));
  EXPECT_THAT(cause(record, 3), HasSubstr("died three times"));
  EXPECT_THAT(cause(record, 4), HasSubstr("died three times"));
}

TEST_F(SupervisorTest, AClosedPipeIsADeadWorker) { EXPECT_EQ(run("closes-its-pipe").at("scenarios").at(0).at("verdict"), "Error"); }

TEST_F(SupervisorTest, AWorkerThatIgnoresItsLimitIsKilledWithItsChildren) {
  EXPECT_THAT(cause(run("ignores-its-limit")), HasSubstr("did not answer and was killed"));
  const auto said = output();
  const auto at = said.find("child ");
  ASSERT_NE(at, std::string::npos) << said;
  const pid_t child = std::stoi(said.substr(at + 6));
  const Deadline deadline = Deadline::in(5s);
  while (::kill(child, 0) == 0 && !deadline.expired()) wait_until(deadline.at_most(5ms));
  EXPECT_NE(::kill(child, 0), 0) << "pid " << child << " lives on";
}

TEST_F(SupervisorTest, AnAnswerForAnotherScenarioIsNoAnswer) {
  EXPECT_EQ(run("answers-for-another").at("scenarios").at(0).at("verdict"), "Error");
}

TEST_F(SupervisorTest, AFloodWithoutALineEndIsCutOff) { EXPECT_EQ(run("floods").at("scenarios").at(0).at("verdict"), "Error"); }

}  // namespace
}  // namespace hilcop
