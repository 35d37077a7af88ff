// SPDX-License-Identifier: Apache-2.0
#include "network/scan/tcp_scan.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "network/port/tap.h"
#include "network/scan/own_host.h"

namespace hilcop {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class TcpScanTest : public OwnHost {
 protected:
  static TcpScanOptions fast(std::vector<int> ports = {}) {
    TcpScanOptions options;
    options.address = "127.0.0.1";
    options.interface = "lo";
    options.ports = std::move(ports);
    options.rate = 50'000;
    options.answer_within = 200ms;
    return options;
  }
  static std::vector<int> ports_of(const TcpScanResult& result) {
    std::vector<int> ports;
    for (const auto& open : result.open) ports.push_back(open.port);
    return ports;
  }
};

TEST_F(TcpScanTest, FindsEveryOpenPortOfAllThereAre) {
  const std::vector<int> open{1, 22, 80, 443, 1883, 8080, 32768, 49999, 60999, 65535};
  std::vector<UniqueFd> listeners;
  for (const int port : open) listeners.push_back(listening("127.0.0.1", port));
  const auto result = scan_tcp(fast(), Deadline::in(60s));
  EXPECT_EQ(ports_of(result), open);
  for (const auto& port : result.open) EXPECT_TRUE(port.confirmed) << port.port;
  EXPECT_EQ(result.closed, 65535 - open.size());
  EXPECT_TRUE(result.filtered.empty());
  EXPECT_TRUE(result.not_known.empty());
  EXPECT_EQ(result.incomplete, "");
  EXPECT_EQ(result.probes, 65535 + open.size());
  EXPECT_EQ(result.heartbeat.kind, "echo");
  EXPECT_GE(result.heartbeat.beats, 2U);
  EXPECT_GT(result.heartbeat.median.count(), 0);
}

TEST_F(TcpScanTest, OfIpv6Too) {
  const auto listener = listening("::1", 23);
  auto options = fast({22, 23, 24});
  options.address = "::1";
  const auto result = scan_tcp(options, Deadline::in(20s));
  EXPECT_THAT(ports_of(result), ElementsAre(23));
  EXPECT_EQ(result.closed, 2U);
  EXPECT_EQ(result.incomplete, "");
}

TEST_F(TcpScanTest, IsCompleteOnlyIfTheDeviceIsStillThereAfterTheLastQuestion) {
  const auto result = scan_tcp(fast({23}), Deadline::in(20s));
  EXPECT_EQ(result.incomplete, "");
  EXPECT_EQ(result.closed, 1U);
  EXPECT_GE(result.heartbeat.beats, 3U) << "two at rest, and one after it";
}

TEST_F(TcpScanTest, KeepsToItsRate) {
  std::vector<int> ports(400);
  for (int i = 0; i < 400; ++i) ports[static_cast<std::size_t>(i)] = 1000 + i;
  auto options = fast(ports);
  options.rate = 500;
  const auto result = scan_tcp(options, Deadline::in(60s));
  EXPECT_EQ(result.closed, 400U);
  EXPECT_GE(result.took, 780ms);
}

TEST_F(TcpScanTest, APortThatSaysNothingIsAskedAgainAndThenFiltered) {
  const auto silent = deaf("127.0.0.1", 7777);
  const auto result = scan_tcp(fast({7776, 7777, 7778}), Deadline::in(20s));
  EXPECT_THAT(result.filtered, ElementsAre(7777));
  EXPECT_EQ(result.closed, 2U);
  EXPECT_EQ(result.probes, 2U + 3U);
  EXPECT_EQ(result.incomplete, "");
}

TEST_F(TcpScanTest, APortThatListensForTheFirstConnectionOnlyIsStillTold) {
  auto once = std::make_unique<UniqueFd>(listening("127.0.0.1", 2323));
  std::thread closes([&] {
    ::accept(once->get(), nullptr, nullptr);
    once->reset();
  });
  const auto result = scan_tcp(fast({2323}), Deadline::in(20s));
  closes.join();
  ASSERT_THAT(ports_of(result), ElementsAre(2323));
}

TEST_F(TcpScanTest, ADeviceThatAnswersNoEchoIsHeardByAClosedPort) {
  set("ipv4/icmp_echo_ignore_all", "1");
  const auto listener = listening("127.0.0.1", 80);
  std::vector<int> ports(600);
  for (int i = 0; i < 600; ++i) ports[static_cast<std::size_t>(i)] = 1 + i;
  auto options = fast(ports);
  options.rate = 500;
  const auto result = scan_tcp(options, Deadline::in(30s));
  set("ipv4/icmp_echo_ignore_all", "0");
  EXPECT_EQ(result.heartbeat.kind, "closed port");
  EXPECT_GE(result.heartbeat.beats, 3U + 3U) << "three echoes, then four a second";
  EXPECT_EQ(result.incomplete, "");
  EXPECT_THAT(ports_of(result), ElementsAre(80));
}

TEST_F(TcpScanTest, WhereNobodyIsNothingIsKnown) {
  auto options = fast();
  options.address = "10.99.0.1";  // no route
  const auto result = scan_tcp(options, Deadline::in(30s));
  EXPECT_THAT(result.incomplete, HasSubstr("nobody"));
  EXPECT_TRUE(result.open.empty());
  EXPECT_EQ(result.closed, 0U);
  EXPECT_EQ(result.heartbeat.kind, "");
  EXPECT_GT(result.not_known.size(), 60'000U);
}

// Every port of it is silent, as those of a device are that drops whatever comes.
TEST_F(TcpScanTest, WhereNobodyAnswersArpNobodyIs) {
  const auto tap = make_tap("nobody");
  links_.set_up("nobody", true);
  links_.add_address("nobody", "10.98.0.1/24");
  auto options = fast();
  options.address = "10.98.0.2";
  options.interface = "nobody";
  options.rate = 100;
  const auto result = scan_tcp(options, Deadline::in(60s));
  EXPECT_THAT(result.incomplete, HasSubstr("nobody"));
  EXPECT_LT(result.took, 20s);
}

TEST_F(TcpScanTest, AtItsDeadlineItTellsWhatItKnowsAndWhatNot) {
  auto options = fast();
  options.rate = 100;
  const auto result = scan_tcp(options, Deadline::in(3s));
  EXPECT_THAT(result.incomplete, HasSubstr("time"));
  EXPECT_GT(result.closed, 0U);
  EXPECT_EQ(result.closed + result.not_known.size(), 65535U);
  EXPECT_LT(result.took, 20s);
}

TEST_F(TcpScanTest, ADeviceThatGoesAndComesBackIsWaitedFor) {
  const auto listener = listening("127.0.0.1", 80);
  std::vector<int> ports(2000);
  for (int i = 0; i < 2000; ++i) ports[static_cast<std::size_t>(i)] = 1 + i;
  auto options = fast(ports);
  options.rate = 400;  // five seconds of probes
  std::thread outage([this] {
    const auto pause = [](Nanoseconds span) { wait_until(Deadline::in(span)); };
    pause(1s);
    links_.set_up("lo", false);
    pause(4s);
    links_.set_up("lo", true);
  });
  const auto result = scan_tcp(options, Deadline::in(120s));
  outage.join();
  EXPECT_THAT(result.incomplete, HasSubstr("may have restarted")) << "so that what is closed now proves nothing";
  EXPECT_TRUE(result.not_known.empty());
  EXPECT_THAT(ports_of(result), ElementsAre(80));
  EXPECT_EQ(result.closed, 1999U) << "what was asked while it was away is asked again";
  EXPECT_GE(result.heartbeat.missed, 3U);
  EXPECT_GT(result.heartbeat.held.count(), 0);
  EXPECT_LT(result.heartbeat.slowest_rate, 400);
}

TEST_F(TcpScanTest, ADeviceThatStaysAwayEndsIt) {
  auto options = fast();
  options.rate = 200;
  options.gone_after = 500ms;
  std::thread outage([this] {
    wait_until(Deadline::in(500ms));
    links_.set_up("lo", false);
  });
  const auto result = scan_tcp(options, Deadline::in(60s));
  outage.join();
  EXPECT_NE(result.incomplete, "");
  EXPECT_GT(result.not_known.size(), 60'000U);
}

TEST_F(TcpScanTest, AnInterruptEndsIt) {
  std::thread interrupts([] {
    wait_until(Deadline::in(200ms));
    request_interrupt();
  });
  auto options = fast();
  options.rate = 100;
  EXPECT_THROW(scan_tcp(options, Deadline::in(60s)), Interrupted);
  interrupts.join();
  clear_interrupt();
}

TEST_F(TcpScanTest, WhatMakesNoSenseIsRefused) {
  const auto refused = [](const std::function<void(TcpScanOptions&)>& change) {
    auto options = fast({80});
    change(options);
    return error_of([&] { scan_tcp(options, Deadline::in(5s)); }).kind();
  };
  EXPECT_EQ(refused([](auto& options) { options.rate = 0; }), ErrorKind::Config);
  EXPECT_EQ(refused([](auto& options) { options.ports = {0}; }), ErrorKind::Config);
  EXPECT_EQ(refused([](auto& options) { options.ports = {65536}; }), ErrorKind::Config);
  EXPECT_EQ(refused([](auto& options) { options.tries = 0; }), ErrorKind::Config);
  EXPECT_EQ(refused([](auto& options) { options.answer_within = 0ns; }), ErrorKind::Config);
  EXPECT_EQ(refused([](auto& options) { options.address = "device.local"; }), ErrorKind::Config);
}

}  // namespace
}  // namespace hilcop
