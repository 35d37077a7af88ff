// SPDX-License-Identifier: Apache-2.0
// What a lease on every instrument must do: the world's outputs go to their safe states, whoever dies.
#include <algorithm>

#include <gmock/gmock.h>

#include "contract/rig.h"
#include "fakes/error_of.h"
#include "fixtures/catalog.h"
#include "tests/keeper/keeper_fixture.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class KeeperContractTest : public KeeperTest, public testing::WithParamInterface<InstrumentRigEntry> {
 protected:
  void SetUp() override {
    // First: a process must not be forked off beside the rig's threads, which may hold a lock just then.
    KeeperTest::SetUp();
    holder_ = in_process([this] { hold(); });
    next_keeper_ = in_process([this] {
      if (told("next-keeper")) serve(60s);
    });
    rig_ = GetParam().make();
  }
  void TearDown() override {
    for (const pid_t process : {holder_, next_keeper_}) {
      ::kill(process, SIGKILL);
      ::waitpid(process, nullptr, 0);
    }
    KeeperTest::TearDown();
  }
  DriverTable drivers() const override { return all_drivers(); }

  LeaseRequest wanted(const std::string& output, SafeState safe_state = SafeState::Off) const {
    LeaseRequest request;
    request.instrument = full_config(GetParam().driver, rig_->config());
    request.channel = output;
    request.holder = "contract of " + output;
    request.safe_state = safe_state;
    return request;
  }
  bool told(const char* file) const {
    const Deadline deadline = Deadline::in(60s);
    while (!std::filesystem::exists(dir_ / file) && !deadline.expired()) wait_until(deadline.at_most(2ms));
    return !deadline.expired();
  }
  // A client in a process of its own, which waits to be told what to switch on (tell_holder), and then to be killed.
  void hold() {
    if (!told("wanted")) return;
    const auto what = json::parse(std::ifstream(dir_ / "wanted"));
    LeaseRequest request;
    request.instrument = {"unit", what.at("driver"), what.at("config")};
    request.channel = what.at("channel");
    request.holder = "the holder";
    const auto client = connect();
    const auto lease = client->lease(request, soon());
    lease->set(true, json::object(), soon());
    std::ofstream(dir_ / "ready") << "x";
    ::pause();
  }
  void tell_holder() const {
    const auto config = full_config(GetParam().driver, rig_->config());
    std::ofstream(dir_ / "told") << json{{"driver", config.driver}, {"config", config.config}, {"channel", rig_->output()}}.dump();
    std::filesystem::rename(dir_ / "told", dir_ / "wanted");
  }
  bool becomes(bool on) const {
    const Deadline deadline = soon();
    while (rig_->is_on(rig_->output()) != on && !deadline.expired()) wait_until(deadline.at_most(1ms));
    return rig_->is_on(rig_->output()) == on;
  }

  pid_t holder_ = -1, next_keeper_ = -1;
  std::unique_ptr<InstrumentRig> rig_;
};

TEST_P(KeeperContractTest, ReleasedIsOff) {
  const auto client = connect();
  const auto lease = client->lease(wanted(rig_->output()), soon());
  const auto result = lease->set(true, json::object(), soon());
  ASSERT_TRUE(becomes(true));
  EXPECT_EQ(result.read_back, rig_->reads_back() ? std::optional(true) : std::nullopt);
  lease->release(soon());
  EXPECT_TRUE(becomes(false));
}

TEST_P(KeeperContractTest, AKilledHolderLeavesNothingOn) {
  tell_holder();
  wait_for_file("ready");
  EXPECT_TRUE(becomes(true));
  ::kill(holder_, SIGKILL);
  EXPECT_TRUE(becomes(false));
}

TEST_P(KeeperContractTest, AKilledKeeperIsFollowedByOneThatSwitchesOff) {
  {
    const auto client = connect();
    const auto lease = client->lease(wanted(rig_->output()), soon());
    lease->set(true, json::object(), soon());
    ASSERT_TRUE(becomes(true));
    ::kill(keeper_, SIGKILL);
    ::waitpid(keeper_, nullptr, 0);
  }
  EXPECT_TRUE(rig_->is_on(rig_->output()));
  std::ofstream(dir_ / "next-keeper") << "x";
  EXPECT_TRUE(becomes(false));
}

TEST_P(KeeperContractTest, WhatAnotherHoldsIsBusyAndSaysWho) {
  const auto first = connect(), second = connect();
  const auto lease = first->lease(wanted(rig_->output()), soon());
  const auto error = error_of([&] { second->lease(wanted(rig_->output()), soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::Busy);
  EXPECT_THAT(error.what(), HasSubstr("contract of " + rig_->output()));
  if (rig_->other_output().empty()) return;
  EXPECT_NO_THROW(second->lease(wanted(rig_->other_output()), soon()));
}

TEST_P(KeeperContractTest, AnInstrumentThatIsMuteForAWhileIsSwitchedOffOnceItHears) {
  if (const auto impossible = rig_->impossible(); impossible.contains(Behaviour::Mute)) GTEST_SKIP() << impossible.at(Behaviour::Mute);
  if (!rig_->acknowledges()) GTEST_SKIP() << "it acknowledges nothing, so nobody can tell that it is mute";
  const auto client = connect();
  auto lease = client->lease(wanted(rig_->output()), soon());
  lease->set(true, json::object(), soon());
  ASSERT_TRUE(becomes(true));
  rig_->behave(Behaviour::Mute);
  EXPECT_THROW(lease->release(Deadline::in(300ms)), Error);
  EXPECT_TRUE(rig_->is_on(rig_->output()));
  rig_->behave(Behaviour::Sound);
  const Deadline deadline = Deadline::in(30s);  // it is tried again every second or so, for as long as it takes
  while (rig_->is_on(rig_->output()) && !deadline.expired()) wait_until(deadline.at_most(5ms));
  EXPECT_FALSE(rig_->is_on(rig_->output())) << "left powered";
}

INSTANTIATE_TEST_SUITE_P(Drivers, KeeperContractTest, testing::ValuesIn(instrument_rigs()), [](const auto& entry) {
  auto name = entry.param.driver;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KeeperContractTest);

}  // namespace
}  // namespace hilcop
