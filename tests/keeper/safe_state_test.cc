// SPDX-License-Identifier: Apache-2.0
// A board is not left powered, nor its setting left over, by a command that nobody acknowledged, by whoever claims it and fails, or by
// what comes while it is on the way to its safe state.
#include <future>

#include "fakes/error_of.h"
#include "keeper_fixture.h"

namespace hilcop {
namespace {

using nlohmann::json;

class SafeStateTest : public KeeperTest {
 protected:
  void make(const std::string& file) const { std::ofstream(dir_ / file) << "x"; }
  void take_away(const std::string& file) const { std::filesystem::remove(dir_ / file); }
  bool was_asked(const std::string& wanted) const {
    std::ifstream asked(dir_ / "asked");
    for (std::string line; std::getline(asked, line);)
      if (line == wanted) return true;
    return false;
  }
  bool within(Nanoseconds span, const std::function<bool()>& holds) const {
    for (const Deadline deadline = Deadline::in(span); !holds(); wait_until(deadline.at_most(2ms)))
      if (deadline.expired()) return false;
    return true;
  }
  static json none() { return json::object(); }
};

TEST_F(SafeStateTest, WhatMayStillSwitchOnLateIsToldToSwitchOffWhateverItReads) {
  const auto client = connect();
  const auto lease = client->lease(request("1"), soon());
  make("mute");
  EXPECT_EQ(error_of([&] { lease->set(true, none(), soon()); }).kind(), ErrorKind::Timeout);
  EXPECT_FALSE(is_on("1")) << "not yet";
  take_away("mute");
  lease->release(soon());
  EXPECT_TRUE(was_asked("1 off"));
}

TEST_F(SafeStateTest, SoIsWhatIsStillBeingSwitchedOnWhenItsHolderGoes) {
  auto wanted = request("1", 1500);
  wanted.instrument.config["punctual"] = true;  // it gives up at the deadline, and says nothing of what comes of it
  const auto holder = connect(), other = connect();
  const auto lease = holder->lease(std::move(wanted), soon());
  auto on = std::async(std::launch::async, [&] { lease->set(true, none(), Deadline::in(600ms)); });
  ASSERT_TRUE(within(5s, [&] { return was_asked("1 on"); }));
  other->safe_state(true, soon());
  EXPECT_THROW(on.get(), Error);
  EXPECT_TRUE(was_asked("1 off"));
}

TEST_F(SafeStateTest, AnOffThatNobodyAcknowledgedBeginsTheMinimumOffTime) {
  auto wanted = request("1");
  wanted.min_off = 400ms;
  const auto client = connect();
  const auto lease = client->lease(std::move(wanted), soon());
  lease->set(true, none(), soon());
  make("mute");
  const auto told = real_clock().now();
  EXPECT_THROW(lease->set(false, none(), soon()), Error);
  take_away("mute");
  EXPECT_GE(lease->set(true, none(), soon()).commanded - told, 400ms);
}

TEST_F(SafeStateTest, WhoClaimsItAfterACrashAndFailsLeavesItToTheKeeper) {
  const pid_t client = holder_of("1");
  for (const pid_t victim : {keeper_, client}) {
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
  }
  make("refuses");
  start_keeper_process();
  const auto next = connect();
  EXPECT_EQ(error_of([&] { next->lease(request("1"), soon()); }).kind(), ErrorKind::Protocol);
  EXPECT_TRUE(is_on("1"));
  take_away("refuses");
  EXPECT_TRUE(off_within("1", 5s));
}

TEST_F(SafeStateTest, AnAdjustmentDoesNotReachTheNextHolder) {
  const auto client = connect();
  const auto lease = client->lease(request("1"), soon());
  lease->adjust({{"volts", 2.5}}, soon());
  EXPECT_TRUE(std::filesystem::exists(dir_ / "adjusted-1"));
  lease->release(soon());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "adjusted-1"));
}

TEST_F(SafeStateTest, ASwitchThatComesWhileItGoesBackIsRefusedAtOnce) {
  const auto holder = connect();
  auto wanted = request("1", 700);
  wanted.min_off = 1500ms;
  const auto lease = holder->lease(std::move(wanted), soon());
  lease->set(true, none(), soon());
  auto given_back = std::async(std::launch::async, [&] { connect()->safe_state(true, soon()); });
  ASSERT_TRUE(within(5s, [&] { return was_asked("1 off"); }));
  EXPECT_EQ(error_of([&] { lease->set(true, none(), Deadline::in(60s)); }).kind(), ErrorKind::Disconnected);
  given_back.get();
  EXPECT_FALSE(is_on("1"));
}

TEST_F(SafeStateTest, AnOffThatQueuedBehindAnOnIsAnsweredWhenTheLeaseEnds) {
  const auto holder = connect();
  const auto lease = holder->lease(request("1", 500), soon());
  auto on = std::async(std::launch::async, [&] { lease->set(true, none(), soon()); });
  ASSERT_TRUE(within(5s, [&] { return was_asked("1 on"); }));
  auto off = std::async(std::launch::async, [&] { return error_of([&] { lease->set(false, none(), Deadline::in(60s)); }); });
  const auto other = connect();
  ASSERT_TRUE(within(5s, [&] { return other->status(soon()).at(0).at("queued_switches") == 1; }));
  other->safe_state(true, soon());
  on.get();
  EXPECT_EQ(off.get().kind(), ErrorKind::Disconnected);
  EXPECT_FALSE(is_on("1"));
}

TEST_F(SafeStateTest, ByForceItIsThereWhenTheCallReturnsOrTheErrorIsSaid) {
  const auto holder = connect(), other = connect();
  const auto lease = holder->lease(request("1", 300), soon());
  lease->set(true, none(), soon());
  EXPECT_FALSE(other->safe_state(true, soon()).at(0).contains("error"));
  EXPECT_FALSE(is_on("1"));
  const auto again = holder->lease(request("1", 300), soon());
  again->set(true, none(), soon());
  make("refuses");
  const auto told = other->safe_state(true, soon());
  EXPECT_NE(told.at(0).at("error").get<std::string>().find("is refused"), std::string::npos) << told;
  take_away("refuses");
  EXPECT_TRUE(off_within("1", 5s));
}

TEST_F(SafeStateTest, ByForceAClaimThatIsStillBeingMadeIsWaitedForToo) {
  const pid_t client = holder_of("1", {}, 600);
  for (const pid_t victim : {keeper_, client}) {
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
  }
  start_keeper_process();
  const auto next = connect(), other = connect();
  auto claim =
      std::async(std::launch::async, [&] { return error_of([&] { next->lease(request("1", 600), soon())->set(true, none(), soon()); }); });
  ASSERT_TRUE(within(5s, [&] { return was_asked("1 off"); }));
  other->safe_state(true, soon());
  EXPECT_FALSE(is_on("1"));
  EXPECT_EQ(claim.get().kind(), ErrorKind::Disconnected);
}

TEST_F(SafeStateTest, OtherSettingsDoNotReplaceAnInstrumentOnItsWayToItsSafeState) {
  const pid_t client = holder_of("1", {}, 800);
  for (const pid_t victim : {keeper_, client}) {
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
  }
  start_keeper_process();
  ASSERT_TRUE(within(5s, [&] { return was_asked("1 off"); }));
  EXPECT_EQ(error_of([&] { connect()->lease(request("2"), soon()); }).kind(), ErrorKind::Config);
  EXPECT_TRUE(is_on("1")) << "the keeper did not stand still until it was there";
  EXPECT_TRUE(off_within("1", 5s));
}

TEST_F(SafeStateTest, ASecondSigtermDoesNotCutTheWayToTheSafeStateShort) {
  const pid_t client = holder_of("1", {}, 500);
  ::kill(keeper_, SIGTERM);
  ASSERT_TRUE(within(5s, [&] { return was_asked("1 off"); }));
  ::kill(keeper_, SIGTERM);
  EXPECT_TRUE(off_within("1", 5s));
  ::kill(client, SIGKILL);
  ::waitpid(client, nullptr, 0);
}

}  // namespace
}  // namespace hilcop
