// SPDX-License-Identifier: Apache-2.0
// A keeper in a process of its own, clients in others, a relay board that keeps its state when everybody dies.
#include <sys/socket.h>

#include <thread>

#include "io/unix_socket.h"
#include "keeper_fixture.h"

namespace hilcop {
namespace {

TEST_F(KeeperTest, SwitchesReadsBackAndCounts) {
  const auto client = connect();
  const auto lease = client->lease(request("1"), soon());
  EXPECT_EQ(lease->get(soon()), false);
  const auto result = lease->set(true, nlohmann::json::object(), soon());
  EXPECT_LE(result.commanded, result.acknowledged);
  EXPECT_TRUE(is_on("1"));
  EXPECT_EQ(lease->get(soon()), true);
  EXPECT_EQ(lease->status(soon()).at("switch_count"), 1);
}

TEST_F(KeeperTest, AReleasedChannelIsAtItsSafeStateAndNoOther) {
  const auto client = connect();
  const auto kept = client->lease(request("2"), soon());
  kept->set(true, nlohmann::json::object(), soon());
  {
    const auto lease = client->lease(request("1"), soon());
    lease->set(true, nlohmann::json::object(), soon());
  }
  EXPECT_FALSE(is_on("1"));
  EXPECT_TRUE(is_on("2"));
}

TEST_F(KeeperTest, AnOutputWhoseStateCannotBeReadIsSwitchedOffAllTheSame) {
  const auto client = connect();
  auto wanted = request("1");
  wanted.instrument.config["unreadable"] = true;
  const auto lease = client->lease(std::move(wanted), soon());
  lease->set(true, nlohmann::json::object(), soon());
  ASSERT_TRUE(is_on("1"));
  lease->release(soon());
  EXPECT_FALSE(is_on("1"));
}

TEST_F(KeeperTest, AnInstrumentThatIsSlowIsGivenMoreTimeToSwitchOff) {
  const auto client = connect();
  auto wanted = request("1", 2000);
  wanted.instrument.config["punctual"] = true;
  const auto lease = client->lease(std::move(wanted), soon());
  lease->set(true, nlohmann::json::object(), soon());
  ASSERT_TRUE(is_on("1"));
  EXPECT_THROW(lease->release(soon()), Error);
  EXPECT_TRUE(off_within("1", 20s)) << "left powered";
}

TEST_F(KeeperTest, ASecondHolderIsRefusedWithTheNameOfTheFirst) {
  const auto client = connect();
  const auto lease = client->lease(request("1"), soon());
  try {
    connect()->lease(request("1"), soon());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Busy);
    EXPECT_NE(std::string(error.what()).find("test of 1, pid " + std::to_string(::getpid())), std::string::npos) << error.what();
  }
}

TEST_F(KeeperTest, WhoQueuesGetsItWhenItIsFree) {
  // Forked before this process has threads: a thread's state does not survive a fork.
  const pid_t waiter = in_process([&] {
    wait_for_file("go");
    auto wanted = request("1");
    wanted.wait_until = Deadline::in(10s);
    connect()->lease(std::move(wanted), soon());
  });
  const auto client = connect();
  auto lease = client->lease(request("1"), soon());
  std::ofstream(dir_ / "go") << "x";
  const Deadline deadline = soon();
  while (client->status(soon()).at(0).at("waiting") == 0 && !deadline.expired()) wait_until(deadline.at_most(5ms));
  lease.reset();
  int status = 0;
  ::waitpid(waiter, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(KeeperTest, AKilledClientLeavesItsOutputOffAndOthersAlone) {
  const pid_t victim = holder_of("1"), other = holder_of("2");
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(off_within("1", 2s));
  EXPECT_TRUE(is_on("2"));
  ::waitpid(victim, nullptr, 0);
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  EXPECT_TRUE(off_within("2", 2s));
}

TEST_F(KeeperTest, AChildThatLivesOnKeepsNoLease) {
  const pid_t victim = holder_of("1", [this] {
    if (const pid_t child = ::fork(); child == 0) {
      ::alarm(20);
      ::pause();  // holds a copy of the socket
    } else {
      std::ofstream(dir_ / "child") << child;
    }
  });
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(off_within("1", 2s));
  EXPECT_NO_THROW(connect()->lease(request("1"), soon()));
  pid_t child = 0;
  std::ifstream(dir_ / "child") >> child;
  ::kill(child, SIGKILL);
  ::waitpid(victim, nullptr, 0);
}

// The board takes its time to switch: who asks meanwhile gets the output once it is back, without --wait.
TEST_F(KeeperTest, WhoAsksForAnOutputThatIsBeingGivenBackGetsIt) {
  const auto client = connect(), other = connect();
  auto lease = client->lease(request("1", 200), soon());
  lease->set(true, nlohmann::json::object(), soon());
  std::jthread giving([&] { lease->release(soon()); });
  const Deadline deadline = soon();
  while (!other->status(soon()).at(0).at("given_back").get<bool>() && !deadline.expired()) wait_until(deadline.at_most(1ms));
  EXPECT_TRUE(is_on("1"));
  EXPECT_NO_THROW(other->lease(request("1", 200), soon()));
}

TEST_F(KeeperTest, AfterTheKeeperWasKilledTheNextOneMakesItsOutputsSafe) {
  const pid_t client = holder_of("1");
  ::kill(keeper_, SIGKILL);
  ::waitpid(keeper_, nullptr, 0);
  ::kill(client, SIGKILL);
  ::waitpid(client, nullptr, 0);
  EXPECT_TRUE(is_on("1"));  // nobody was there to switch it off
  start_keeper_process();
  EXPECT_TRUE(off_within("1", 2s));
}

TEST_F(KeeperTest, ATornJournalStillSaysWhatIsHeld) {
  const pid_t client = holder_of("1");
  ::kill(keeper_, SIGKILL);
  ::waitpid(keeper_, nullptr, 0);
  ::kill(client, SIGKILL);
  ::waitpid(client, nullptr, 0);
  std::ofstream(dir_ / "journal", std::ios::app) << "not json\n{\"op\":\"safe\",\"instr";
  start_keeper_process();
  EXPECT_TRUE(off_within("1", 2s));
}

TEST_F(KeeperTest, MinimumOffTimeIsWaitedForAlsoAcrossKeepers) {
  const auto timed_on = [this] {
    auto wanted = request("1");
    wanted.min_off = 400ms;
    const auto client = connect();
    const auto lease = client->lease(std::move(wanted), soon());
    lease->set(true, nlohmann::json::object(), soon());
    const auto off = lease->set(false, nlohmann::json::object(), soon());
    const auto on = lease->set(true, nlohmann::json::object(), soon());
    EXPECT_GE(on.commanded - off.acknowledged, 400ms);
    EXPECT_LT(on.commanded - off.acknowledged, 700ms);
    return lease->set(false, nlohmann::json::object(), soon()).acknowledged;
  };
  const auto off = timed_on();
  ::kill(keeper_, SIGKILL);
  ::waitpid(keeper_, nullptr, 0);
  start_keeper_process();
  auto wanted = request("1");
  wanted.min_off = 2s;
  const auto client = connect();
  EXPECT_GE(client->lease(std::move(wanted), soon())->set(true, nlohmann::json::object(), soon()).commanded - off, 2s);
}

TEST_F(KeeperTest, ATimedCommandComesAtItsTime) {
  const auto client = connect();
  const auto lease = client->lease(request("1"), soon());
  const auto when = real_clock().now() + 150ms;
  const auto result = lease->set_at(when, true, nlohmann::json::object(), soon());
  EXPECT_GE(result.commanded, when);
  RecordProperty("late_us", static_cast<int>((result.commanded - when).count() / 1000));
}

TEST_F(KeeperTest, SeveralOutputsSwitchTogether) {
  const auto client = connect();
  const auto one = client->lease(request("1"), soon()), two = client->lease(request("2"), soon());
  const auto results = client->set_together({one.get(), two.get()}, true, nlohmann::json::object(), soon());
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(is_on("1") && is_on("2"));
}

TEST_F(KeeperTest, SafeStateByForceTakesLeasesBack) {
  const auto holder = connect();
  const auto lease = holder->lease(request("1"), soon());
  lease->set(true, nlohmann::json::object(), soon());
  connect()->safe_state(true, soon());
  EXPECT_TRUE(off_within("1", 2s));
  EXPECT_THROW(lease->set(true, nlohmann::json::object(), soon()), Error);
  EXPECT_FALSE(is_on("1"));
}

TEST_F(KeeperTest, GarbageEndlessLinesAndSilentClientsDoNotHarmOthers) {
  const auto client = connect();
  const auto lease = client->lease(request("1"), soon());
  const auto silent = connect_unix(dir_ / "keeper.sock", soon());
  const auto rude = connect_unix(dir_ / "keeper.sock", soon());
  const std::string nonsense =
      "nonsense\n[1]\n{\"op\":7}\n{\"id\":1,\"op\":\"lease\"}\n{\"id\":2,\"op\":\"set\",\"lease\":1,\"on\":true,\"deadline_ns\":9}\n";
  ASSERT_GT(::send(rude.get(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL), 0);
  const std::string endless(300'000, 'x');
  for (int i = 0; i < 10; ++i) ::send(silent.get(), endless.data(), endless.size(), MSG_NOSIGNAL);
  EXPECT_NO_THROW(lease->set(true, nlohmann::json::object(), soon()));
  EXPECT_TRUE(is_on("1"));
}

TEST_F(KeeperTest, AnUnknownChannelNamesTheOthers) {
  try {
    connect()->lease(request("9"), soon());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::NotFound);
    EXPECT_NE(std::string(error.what()).find("1, 2, 3"), std::string::npos);
  }
}

TEST_F(KeeperTest, EndsWhenIdleAndOnlyThen) {
  ::kill(keeper_, SIGKILL);
  ::waitpid(keeper_, nullptr, 0);
  start_keeper_process(300ms);
  connect()->lease(request("1"), soon());
  int status = -1;
  const Deadline deadline = soon();
  while (::waitpid(keeper_, &status, WNOHANG) == 0 && !deadline.expired()) wait_until(deadline.at_most(10ms));
  keeper_ = -1;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_FALSE(is_on("1"));
}

TEST_F(KeeperTest, OnSigtermEverythingGoesToItsSafeState) {
  const pid_t client = holder_of("1");
  ::kill(keeper_, SIGTERM);
  EXPECT_TRUE(off_within("1", 2s));
  ::kill(client, SIGKILL);
  ::waitpid(client, nullptr, 0);
}

}  // namespace
}  // namespace hilcop
