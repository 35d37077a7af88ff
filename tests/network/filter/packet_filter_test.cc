// SPDX-License-Identifier: Apache-2.0
// The rules as this kernel takes them; what they do to a real host stands in tests/interop/gateway_filter_test.cc.
#include "network/filter/packet_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "fakes/error_of.h"
#include "network/port/tap.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::Not;

FilterState full() {
  FilterState state;
  state.gateway = "gateway";
  state.lans = {"10.77.0.1/24", "10.78.0.1/24", "fd77::1/64"};
  state.internet_dead = true;
  state.dead_hosts = {"198.18.0.1", "fd77:198:18::c612:1"};
  state.catch_ipv4 = 40000;
  state.catch_ipv6 = 40001;
  state.served = {53, 443};
  state.uplink = "wan0";
  state.allowed = {{"203.0.113.5", 443, "tcp"}, {"203.0.113.5", 123, "udp"}};
  return state;
}

TEST(PacketFilter, ThisKernelTakesEveryStateOneAfterTheOtherAndTheCountersStay) {
  const auto gateway = make_tap("gateway");
  PacketFilter filter;
  FilterState plain;
  plain.gateway = "gateway";
  filter.set(plain);
  EXPECT_EQ(filter.counts().size(), 8U);
  EXPECT_EQ(filter.counts().at(kForwardDropped), 0U);
  filter.set(full());
  auto dead = full();
  dead.gateway_dead = true;
  filter.set(dead);
  filter.set(plain);
  EXPECT_EQ(filter.counts().size(), 8U);
}

TEST(PacketFilter, AStateThatIsRefusedLeavesTheOneBefore) {
  const auto gateway = make_tap("gateway");
  PacketFilter filter;
  filter.set(full());
  auto wrong = full();
  wrong.gateway = "nowhere";  // the kernel knows no such interface to hook at
  EXPECT_EQ(error_of([&] { filter.set(wrong); }).kind(), ErrorKind::Unsupported);
  EXPECT_EQ(filter.counts().size(), 8U);
  filter.set(full());
}

TEST(FilterRules, DropWhatNothingAllowsWhateverElseIsAsked) {
  for (const auto& state : {full(), [] {
                              FilterState plain;
                              plain.gateway = "gateway";
                              return plain;
                            }()}) {
    const auto rules = ruleset_of(state);
    EXPECT_THAT(rules, HasSubstr("hook forward priority filter; policy drop;"));
  }
  EXPECT_THAT(ruleset_of(full()), HasSubstr("ip daddr 203.0.113.5 tcp dport 443 counter name forwarded accept"));
}

TEST(FilterRules, WithoutAnUplinkAllowNothing) {
  auto state = full();
  state.uplink.clear();
  EXPECT_THAT(ruleset_of(state), Not(HasSubstr("counter name forwarded accept")));
}

TEST(FilterRules, NothingButAddressesPortsAndInterfacesGetsIntoTheirText) {
  const auto refused = [](const auto& change) {
    auto state = full();
    change(state);
    return error_of([&] { ruleset_of(state); }).kind();
  };
  for (const char* bad : {"", "10.0.0.1; flush ruleset", "a\"b", "x y", "seventeen-letters", "a/b", "wan*"}) {
    if (*bad != '\0') {
      EXPECT_EQ(refused([&](FilterState& state) { state.uplink = bad; }), ErrorKind::Config) << bad;
    }
    EXPECT_EQ(refused([&](FilterState& state) { state.gateway = bad; }), ErrorKind::Config) << bad;
    EXPECT_EQ(refused([&](FilterState& state) { state.dead_hosts = {bad}; }), ErrorKind::Config) << bad;
    EXPECT_EQ(refused([&](FilterState& state) { state.lans = {bad}; }), ErrorKind::Config) << bad;
    EXPECT_EQ(refused([&](FilterState& state) { state.allowed[0].address = bad; }), ErrorKind::Config) << bad;
    EXPECT_EQ(refused([&](FilterState& state) { state.allowed[0].protocol = bad; }), ErrorKind::Config) << bad;
  }
  EXPECT_EQ(refused([](FilterState& state) { state.lans = {"10.0.0.0/8}"}; }), ErrorKind::Config);
  EXPECT_EQ(refused([](FilterState& state) { state.allowed[0].address = "0.0.0.0/0"; }), ErrorKind::Config);
  EXPECT_EQ(refused([](FilterState& state) { state.allowed[0].port = 0; }), ErrorKind::Config);
}

}  // namespace
}  // namespace hilcop
