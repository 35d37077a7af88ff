// SPDX-License-Identifier: Apache-2.0
// Router advertisements with the kernel's own autoconfiguration (RFC 4862) as the host; Wireshark reads what passed.
#include <gmock/gmock.h>

#include "interop/isolated_network.h"
#include "network/dhcp/router_advertiser.h"

namespace hilcop {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RouterAdvertiserInteropTest : public IsolatedNetwork {
 protected:
  using Kind = RouterReport::Kind;

  // Seldom by itself: what comes is asked for, or of a change.
  void advertise() {
    dut({"sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/dut/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/dut/router_solicitation_delay"});
    UniqueFd socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6));
    ASSERT_TRUE(socket);
    router_.emplace(std::move(socket), ::if_nametoindex("bench"), says_, told_.keep(), 600s);
  }
  std::string addresses() const { return dut({"ip", "-6", "addr", "show", "dev", "dut", "scope", "global"}); }
  std::string routes() const { return dut({"ip", "-6", "route", "show", "default"}); }
  void until_address(const std::string& address) {
    until("the address " + address, [&] { return addresses().find(address) != std::string::npos; });
  }
  // It forgets all, and asks.
  void restart_link() const {
    dut({"ip", "link", "set", "dut", "down"});
    dut({"ip", "link", "set", "dut", "up"});
  }
  std::size_t told(Kind kind, const std::string& why = "") const {
    return told_.count([&](const RouterReport& r) { return r.kind == kind && (why.empty() || r.why == why); });
  }

  RouterAdvertisement says_ = [] {
    RouterAdvertisement made;
    made.prefixes = {{.address = Ipv6::of("fd77::")}};
    made.name_servers = {Ipv6::of("fd77::1"), Ipv6::of("fd77::2")};
    made.mtu = 1400;
    return made;
  }();
  Reports<RouterReport> told_;
  std::optional<RouterAdvertiser> router_;
};

TEST_F(RouterAdvertiserInteropTest, AHostTakesAnAddressAndARoute) {
  isolated([&] {
    EXPECT_EQ(addresses(), "") << "the control: nobody advertises";
    advertise();
    until_address("fd77::ff:fe00:1/64");
    EXPECT_THAT(routes(), AllOf(HasSubstr("default via fe80::"), HasSubstr("proto ra"), HasSubstr("mtu 1400")));
    const auto seen = tshark(captured(), "icmpv6.type == 134",
                             {"ipv6.dst", "ipv6.hlim", "icmpv6.checksum.status", "icmpv6.nd.ra.router_lifetime", "icmpv6.opt.prefix",
                              "icmpv6.opt.rdnss", "icmpv6.opt.mtu"});
    EXPECT_THAT(seen, HasSubstr("ff02::1|255|1|1800|fd77::|fd77::1,fd77::2|1400\n"));
  });
}

TEST_F(RouterAdvertiserInteropTest, AHostThatAsksIsAnswered) {
  isolated([&] {
    advertise();
    until_address("fd77::ff:fe00:1/64");
    const auto before = told(Kind::Solicited);
    restart_link();
    until("it asks", [&] { return told(Kind::Solicited) > before; });
    until_address("fd77::ff:fe00:1/64");
    until("it is told", [&] { return told(Kind::Advertised, "solicited") > 0 && router_->counts().sent >= 2; });
    EXPECT_EQ(told(Kind::Malformed), 0u);
  });
}

TEST_F(RouterAdvertiserInteropTest, AnotherPrefixAndNoDefaultRoute) {
  isolated([&] {
    advertise();
    until_address("fd77::ff:fe00:1/64");
    says_.prefixes[0].preferred = 0s;
    says_.prefixes.push_back({.address = Ipv6::of("fd78::")});
    router_->set(says_);
    until_address("fd78::ff:fe00:1/64");
    until("the first is deprecated", [&] { return addresses().find("deprecated") != std::string::npos; });
    EXPECT_THAT(routes(), HasSubstr("default via fe80::"));
    says_.router_lifetime = 0s;
    router_->set(says_);
    until("the route goes", [&] { return routes().empty(); });
    until("it is told", [&] { return told(Kind::Advertised, "changed") >= 2; });
  });
}

TEST_F(RouterAdvertiserInteropTest, AnOutageWithAFarewellAndWithout) {
  isolated([&] {
    advertise();
    until_address("fd77::ff:fe00:1/64");
    router_->be_silent(true);
    until("the route goes", [&] { return routes().empty(); });
    until("it is told", [&] { return told(Kind::Advertised, "farewell") > 0; });
    EXPECT_EQ(told(Kind::Advertised, "farewell"), 1u);
    EXPECT_THAT(addresses(), HasSubstr("fd77::ff:fe00:1/64")) << "that it keeps";
    restart_link();
    until("it asks in vain", [&] { return told(Kind::Ignored, "the router is made silent") > 0; });
    EXPECT_EQ(addresses(), "");
    router_->speak();
    until_address("fd77::ff:fe00:1/64");
    router_->be_silent(false);
    const auto sent = router_->counts().sent;
    const auto ignored = told(Kind::Ignored);
    restart_link();
    until("it asks in vain", [&] { return told(Kind::Ignored) > ignored; });
    EXPECT_EQ(router_->counts().sent, sent);
  });
}

}  // namespace
}  // namespace hilcop
