// SPDX-License-Identifier: Apache-2.0
// Outputs that share a supply: never two power-ons closer than its stagger, never an off that waits, never an on that nobody wants.
#include <future>
#include <sstream>

#include "fakes/error_of.h"
#include "io/unix_socket.h"
#include "keeper_fixture.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kStagger = 300ms;

class SupplyTest : public KeeperTest {
 protected:
  LeaseRequest on_supply(const std::string& channel, Nanoseconds stagger = kStagger, const std::string& supply = "bench/mains",
                         int slow_ms = 0) {
    auto wanted = request(channel, slow_ms);
    wanted.supply = Supply{supply, stagger};
    return wanted;
  }
  static SwitchResult on(Lease& lease) { return lease.set(true, none(), soon()); }
  static nlohmann::json none() { return nlohmann::json::object(); }
  static double waited_s(const SwitchResult& result) { return result.details.at("supply").at("waited_s"); }
  bool was_ever_on(const std::string& channel) const {
    std::ifstream log(dir_ / "log");
    for (std::string line; std::getline(log, line);)
      if (line.starts_with(channel + " on")) return true;
    return false;
  }
  void wait_for_status(const std::string& channel, const char* what) {
    const auto client = connect();
    for (const Deadline deadline = soon(); !deadline.expired(); wait_until(deadline.at_most(1ms)))
      for (const auto& entry : client->status(soon()))
        if (entry.at("channel") == channel && entry.at(what) == true) return;
    FAIL() << "channel " << channel << " never said " << what;
  }
  void wait_until_it_waits(const std::string& channel) { wait_for_status(channel, "waits_to_switch_on"); }
  static void expect_apart(SwitchResult one, SwitchResult other, Nanoseconds stagger) {
    if (other.commanded < one.commanded) std::swap(one, other);
    EXPECT_GE(other.commanded - one.acknowledged, stagger);
  }
};

TEST_F(SupplyTest, TwoThatAskAtOnceAreApart) {
  const auto client = connect(), other = connect();
  const auto one = client->lease(on_supply("1"), soon()), two = other->lease(on_supply("2"), soon());
  auto first = std::async(std::launch::async, [&] { return on(*one); });
  const auto second = on(*two);
  expect_apart(first.get(), second, kStagger);
}

TEST_F(SupplyTest, TheSwitchSaysHowLongItWaitedAndForWhat) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1"), soon()), two = client->lease(on_supply("2"), soon());
  const auto first = on(*one);
  const auto asked = real_clock().now();
  const auto second = on(*two);
  EXPECT_EQ(second.details.at("supply").at("name"), "bench/mains");
  EXPECT_GT(waited_s(second), 0.2);
  EXPECT_LE(waited_s(second), std::chrono::duration<double>(second.commanded - asked).count());
  EXPECT_GE(second.commanded - first.acknowledged, kStagger);
  wait_until(Deadline::in(kStagger));
  EXPECT_EQ(waited_s(on(*one)), 0.0);  // nobody was in front
}

TEST_F(SupplyTest, SetTogetherAndASlowRelayAreApartToo) {
  const auto client = connect();
  std::vector<std::unique_ptr<Lease>> leases;
  std::vector<Lease*> all;
  for (const char* channel : {"1", "2", "3"})
    all.push_back(leases.emplace_back(client->lease(on_supply(channel, kStagger, "bench/mains", 100), soon())).get());
  auto results = client->set_together(all, true, none(), soon());
  std::sort(results.begin(), results.end(), [](const auto& a, const auto& b) { return a.commanded < b.commanded; });
  expect_apart(results[0], results[1], kStagger);
  expect_apart(results[1], results[2], kStagger);
}

TEST_F(SupplyTest, TwoForTheSameMomentAreApartAndNoneComesEarly) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1"), soon()), two = client->lease(on_supply("2"), soon());
  const auto when = real_clock().now() + kStagger + 100ms;
  auto first = std::async(std::launch::async, [&] { return one->set_at(when, true, none(), soon()); });
  const auto second = two->set_at(when, true, none(), soon());
  const auto other = first.get();
  expect_apart(other, second, kStagger);
  EXPECT_GE(std::min(other.commanded, second.commanded), when);
}

TEST_F(SupplyTest, OneForLaterDoesNotHoldUpOneForNow) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1"), soon()), two = client->lease(on_supply("2"), soon());
  const auto when = real_clock().now() + 2 * kStagger + 1s;
  auto later = std::async(std::launch::async, [&] { return one->set_at(when, true, none(), soon()); });
  wait_until_it_waits("1");
  EXPECT_LT(on(*two).commanded, when - kStagger);
  EXPECT_GE(later.get().commanded, when);
}

TEST_F(SupplyTest, SuppliesDoNotWaitForEachOther) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1"), soon()), two = client->lease(on_supply("2", 10s, "other/mains"), soon());
  const auto three = client->lease(request("3"), soon());
  on(*one);
  EXPECT_FALSE(on(*three).details.contains("supply"));
  EXPECT_EQ(error_of([&] { two->set(true, none(), Deadline::in(100ms)); }).kind(),
            ErrorKind::Timeout);  // the first of its own waits in full
}

TEST_F(SupplyTest, ANewKeeperWaitsInFull) {
  {
    const auto client = connect();
    on(*client->lease(on_supply("1"), soon()));
  }
  ::kill(keeper_, SIGKILL);
  ::waitpid(keeper_, nullptr, 0);
  const auto began = real_clock().now();
  start_keeper_process();
  const auto client = connect();
  EXPECT_GE(on(*client->lease(on_supply("2", 700ms), soon())).commanded, began + 700ms);
}

TEST_F(SupplyTest, AnOffComesAtOnceAndTheOnThatWaitedNever) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1", 2s), soon()), two = client->lease(on_supply("2", 2s), soon());
  const auto first = on(*one);
  auto waiting = std::async(std::launch::async, [&] { return error_of([&] { on(*two); }); });
  wait_until_it_waits("2");
  EXPECT_LT(two->set(false, none(), soon()).acknowledged, first.acknowledged + 2s);
  EXPECT_NE(std::string(waiting.get().what()).find("was not switched on: an off came"), std::string::npos);
  const auto three = client->lease(on_supply("3", 2s), soon());
  on(*three);  // its turn comes after the one that was given up
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, AnOffThatIsForLaterComesAtItsTime) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1", 2s), soon()), two = client->lease(on_supply("2", 2s), soon());
  const auto first = on(*one);
  auto waiting = std::async(std::launch::async, [&] { return error_of([&] { on(*two); }).kind(); });
  wait_until_it_waits("2");
  const auto when = real_clock().now() + 100ms;
  const auto off = two->set_at(when, false, none(), soon());
  EXPECT_GE(off.commanded, when);
  EXPECT_LT(off.commanded, first.acknowledged + 2s);
  EXPECT_EQ(waiting.get(), ErrorKind::Busy);
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, AnOffDoesNotWaitForOneThatIsForLater) {
  const auto client = connect();
  const auto lease = client->lease(request("1"), soon());
  on(*lease);
  const auto when = real_clock().now() + 5s;
  auto later = std::async(std::launch::async, [&] { return error_of([&] { lease->set_at(when, false, none(), soon()); }).kind(); });
  wait_for_status("1", "switching");
  EXPECT_LT(lease->set(false, none(), soon()).acknowledged, when - 1s);
  EXPECT_EQ(later.get(), ErrorKind::Busy);
  on(*lease);
  EXPECT_LT(real_clock().now(), when - 1s);
  wait_until(Deadline(when + 100ms));
  EXPECT_TRUE(is_on("1"));  // the one for later cuts no power that was given after it
}

TEST_F(SupplyTest, AnOffThatComesBehindAQueuedOnDoesNotWaitForItsTurn) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1", 2s, "bench/mains", 300), soon());
  const auto first = on(*one);
  auto off = std::async(std::launch::async, [&] { return one->set(false, none(), soon()); });  // takes 300 ms
  wait_for_status("1", "switching");
  auto again = std::async(std::launch::async, [&] { return error_of([&] { on(*one); }).kind(); });
  wait_until_it_waits("1");
  EXPECT_LT(one->set(false, none(), soon()).acknowledged, first.acknowledged + 2s);
  EXPECT_EQ(again.get(), ErrorKind::Busy);
  off.get();
}

TEST_F(SupplyTest, WhoDiesWhileHeWaitsIsNotSwitchedOn) {
  const pid_t victim = in_process([&] {
    wait_for_file("go");
    const auto client = connect();
    on(*client->lease(on_supply("2", 1s), soon()));
  });
  const auto client = connect();
  const auto one = client->lease(on_supply("1", 1s), soon()), three = client->lease(on_supply("3", 1s), soon());
  on(*one);
  std::ofstream(dir_ / "go") << "x";
  wait_until_it_waits("2");
  ::kill(victim, SIGKILL);
  ::waitpid(victim, nullptr, 0);
  on(*three);
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, AnInterruptedOnIsNotSwitchedLater) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1", 1s), soon()), two = client->lease(on_supply("2", 1s), soon());
  const auto three = client->lease(on_supply("3", 1s), soon());
  on(*one);
  auto waiting = std::async(std::launch::async, [&] {
    try {
      on(*two);
      return false;
    } catch (const Interrupted&) {
      return true;
    }
  });
  wait_until_it_waits("2");
  request_interrupt();
  EXPECT_TRUE(waiting.get());
  clear_interrupt();
  on(*three);
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, AnInterruptedOnThatWaitsForABusyInstrumentIsNotSwitchedLater) {
  const auto client = connect();
  const auto one = client->lease(request("1", 500), soon()), two = client->lease(request("2", 500), soon());
  auto slow = std::async(std::launch::async, [&] { EXPECT_THROW(on(*one), Interrupted); });  // takes 500 ms
  wait_for_status("1", "switching");
  auto waiting = std::async(std::launch::async, [&] { EXPECT_THROW(on(*two), Interrupted); });
  wait_for_status("2", "switching");
  request_interrupt();
  slow.get(), waiting.get();
  clear_interrupt();
  EXPECT_FALSE(two->get(soon()).value_or(true));  // comes after whatever was asked before
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, AnOnWhoseDeadlinePassesWhileTheInstrumentIsBusyIsNotSwitched) {
  const auto client = connect();
  const auto one = client->lease(request("1", 500), soon()), two = client->lease(request("2", 500), soon());
  auto slow = std::async(std::launch::async, [&] { on(*one); });  // takes 500 ms
  wait_for_status("1", "switching");
  EXPECT_EQ(error_of([&] { two->set(true, none(), Deadline::in(100ms)); }).kind(), ErrorKind::Timeout);
  slow.get();
  EXPECT_FALSE(two->get(soon()).value_or(true));
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, SetTogetherThatOneRefusesSwitchesNoneOn) {
  // By hand: a client that is slow to withdraw.
  const auto there = connect();
  JsonLines lines(connect_unix(dir_ / "keeper.sock", soon()), "keeper");
  const auto ask = [&lines](nlohmann::json request) {
    request["id"] = 1;
    lines.send(request, soon());
    return lines.receive(soon()).value();
  };
  const auto lease = [&](const char* channel, int min_off_ms) {
    return ask({{"op", "lease"},
                {"instrument", {{"name", "relay"}, {"driver", "file-relay"}, {"config", {{"dir", dir_.path().string()}}}}},
                {"channel", channel},
                {"holder", "test"},
                {"safe_state", "off"},
                {"min_off_ms", min_off_ms}})["result"]["lease"];
  };
  const auto leases = {lease("1", 0), lease("2", 10'000)};
  const auto answer = ask({{"op", "set_together"},
                           {"leases", leases},
                           {"on", true},
                           {"at_ns", to_ns(real_clock().now())},
                           {"deadline_ns", to_ns(Deadline::in(1s).at())}});
  EXPECT_FALSE(answer["ok"]);
  wait_until(Deadline::in(100ms));
  EXPECT_FALSE(was_ever_on("1"));
}

TEST_F(SupplyTest, AnInterruptedOnThatWaitsForItsMinimumOffTimeIsNotSwitchedLater) {
  auto wanted = request("1");
  wanted.min_off = 400ms;
  const auto client = connect();
  const auto lease = client->lease(std::move(wanted), soon());
  auto waiting = std::async(std::launch::async, [&] { EXPECT_THROW(on(*lease), Interrupted); });
  wait_until_it_waits("1");
  request_interrupt();
  waiting.get();
  clear_interrupt();
  lease->set_at(real_clock().now() + 600ms, false, none(), soon());  // later than it would have been
  EXPECT_FALSE(was_ever_on("1"));
}

TEST_F(SupplyTest, ATurnAfterTheDeadlineIsATimeoutAndNoSwitch) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1", 600ms), soon()), two = client->lease(on_supply("2", 600ms), soon());
  const auto three = client->lease(on_supply("3", 600ms), soon());
  on(*one);
  const auto error = error_of([&] { two->set(true, none(), Deadline::in(100ms)); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_NE(std::string(error.what()).find("its turn at supply 'bench/mains'"), std::string::npos) << error.what();
  on(*three);
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, AReleaseWhileItWaitsEndsTheWait) {
  const auto client = connect();
  const auto one = client->lease(on_supply("1", 2s), soon());
  auto two = client->lease(on_supply("2", 2s), soon());
  const auto first = on(*one);
  auto waiting = std::async(std::launch::async, [&] { return error_of([&] { on(*two); }).kind(); });
  wait_until_it_waits("2");
  two->release(soon());
  EXPECT_EQ(waiting.get(), ErrorKind::Disconnected);
  EXPECT_LT(real_clock().now(), first.acknowledged + 2s);
  EXPECT_FALSE(was_ever_on("2"));
}

TEST_F(SupplyTest, ASafeStateOnIsNobodysTurn) {
  auto wanted = on_supply("1");
  wanted.safe_state = SafeState::On;
  EXPECT_EQ(error_of([&] { connect()->lease(std::move(wanted), soon()); }).kind(), ErrorKind::Config);
}

}  // namespace
}  // namespace hilcop
