// SPDX-License-Identifier: Apache-2.0
#include "network/scan/port_watch.h"

#include <atomic>
#include <condition_variable>

#include <gmock/gmock.h>

#include "base/error.h"
#include "fakes/error_of.h"
#include "network/scan/own_host.h"

namespace hilcop {
namespace {

class PortWatchTest : public OwnHost {
 protected:
  std::unique_ptr<PortWatch> watch(std::vector<int> ports, Nanoseconds every = 20ms) {
    PortWatchOptions options;
    options.ports = std::move(ports);
    options.every = every;
    options.addresses = [] { return std::vector<std::string>{"127.0.0.1", "::1"}; };
    options.interface = "lo";
    return std::make_unique<PortWatch>(std::move(options), [this](const PortChange& change) {
      const std::scoped_lock lock(mutex_);
      changes_.push_back(change);
      changed_.notify_all();
    });
  }
  /// Whether this is told within ten seconds.
  bool told(const std::string& address, int port, PortState state) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] {
      return std::ranges::any_of(
          changes_, [&](const auto& change) { return change.address == address && change.port == port && change.state == state; });
    });
  }
  void forget() {
    const std::scoped_lock lock(mutex_);
    changes_.clear();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PortChange> changes_;
};

TEST_F(PortWatchTest, TellsWhenAPortOpensAndCloses) {
  const auto watching = watch({23, 80});
  ASSERT_TRUE(told("127.0.0.1", 23, PortState::Closed)) << "the control: it answers";
  ASSERT_TRUE(told("::1", 80, PortState::Closed));
  const auto before = real_clock().now();
  auto listener = listening("127.0.0.1", 23);
  ASSERT_TRUE(told("127.0.0.1", 23, PortState::Open));
  forget();
  listener.reset();
  ASSERT_TRUE(told("127.0.0.1", 23, PortState::Closed));
  const auto figures = watching->stop();
  EXPECT_EQ(figures.failure, "");
  EXPECT_GE(figures.rounds, 3U);
  const auto& port = figures.ports.at({"127.0.0.1", 23});
  EXPECT_GE(port.open, 1U);
  EXPECT_GT(port.answered, port.open);
  ASSERT_TRUE(port.first_open && port.last_open);
  EXPECT_GT(*port.first_open, before);
  EXPECT_LE(*port.first_open, *port.last_open);
  EXPECT_EQ(figures.ports.at({"127.0.0.1", 80}).open, 0U);
}

TEST_F(PortWatchTest, ADeviceThatSaysNothingWasAskedAndHasNotAnswered) {
  links_.set_up("lo", false);
  const auto watching = watch({23});
  const auto asked = [&] {
    const auto figures = watching->figures();
    const auto port = figures.ports.find({"127.0.0.1", 23});
    return port != figures.ports.end() && port->second.asked > 3;
  };
  for (const auto deadline = Deadline::in(10s); !asked();) ASSERT_FALSE(deadline.expired());
  EXPECT_EQ(watching->figures().ports.at({"127.0.0.1", 23}).answered, 0U);
  links_.set_up("lo", true);
  EXPECT_TRUE(told("127.0.0.1", 23, PortState::Closed));
}

TEST_F(PortWatchTest, WhatWasNotSeenIsTold) {
  const auto watching = watch({23}, 500ms);
  for (const auto deadline = Deadline::in(10s); watching->figures().rounds < 2;) ASSERT_FALSE(deadline.expired());
  EXPECT_GE(watching->figures().longest_gap, 490ms);
}

// On a host that has other work a round's answers are all there before one of them is looked at.
TEST_F(PortWatchTest, AnswersThatWaitAreTakenHoweverLate) {
  const auto listener = listening("::1", 200);
  std::vector<int> ports(200);
  for (int i = 0; i < 200; ++i) ports[static_cast<std::size_t>(i)] = 1 + i;
  std::atomic<bool> goes_on = false, was_late = false;
  PortWatchOptions options;
  options.ports = ports;
  options.every = 60s;  // one round
  options.addresses = [] { return std::vector<std::string>{"127.0.0.1", "::1"}; };
  options.interface = "lo";
  PortWatch watching(std::move(options), [&](const PortChange&) {
    if (!was_late.exchange(true)) wait_until(Deadline::in(1500ms));  // longer than an answer may take
    goes_on = true;
  });
  for (const auto deadline = Deadline::in(20s); !goes_on;) ASSERT_FALSE(deadline.expired());
  const auto figures = watching.stop();
  EXPECT_EQ(figures.failure, "");
  ASSERT_EQ(figures.ports.size(), 400U);
  for (const auto& [key, port] : figures.ports) EXPECT_EQ(port.answered, 1U) << key.first << " port " << key.second;
  EXPECT_EQ(figures.ports.at({"::1", 200}).open, 1U);
  EXPECT_GE(figures.longest_gap, 1500ms) << "from the round to the end";
}

TEST_F(PortWatchTest, WhereNobodyHasAnAddressNothingWasWatched) {
  std::atomic<bool> asked = false;
  PortWatchOptions options;
  options.ports = {23};
  options.addresses = [&] {
    asked = true;
    return std::vector<std::string>{};
  };
  PortWatch watching(std::move(options), [](const PortChange&) {});
  for (const auto deadline = Deadline::in(10s); !asked;) ASSERT_FALSE(deadline.expired());
  EXPECT_THAT(watching.stop().failure, testing::HasSubstr("no address"));
}

TEST_F(PortWatchTest, StopsOnceAndForAll) {
  const auto watching = watch({23});
  ASSERT_TRUE(told("127.0.0.1", 23, PortState::Closed));
  const auto rounds = watching->stop().rounds;
  EXPECT_EQ(watching->stop().rounds, rounds);
}

TEST_F(PortWatchTest, WhatEndsItIsToldNotHidden) {
  PortWatchOptions options;
  options.ports = {23};
  options.addresses = [] { return std::vector<std::string>{"no address"}; };
  PortWatch watching(std::move(options), [](const PortChange&) {});
  for (const auto deadline = Deadline::in(10s); watching.figures().failure.empty();) ASSERT_FALSE(deadline.expired());
  EXPECT_THAT(watching.figures().failure, testing::HasSubstr("no address"));
}

TEST_F(PortWatchTest, WhatMakesNoSenseIsRefused) {
  EXPECT_EQ(error_of([&] { watch({}); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { watch({0}); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { watch(std::vector<int>(257, 80)); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { watch({80}, 1ms); }).kind(), ErrorKind::Config);
}

}  // namespace
}  // namespace hilcop
