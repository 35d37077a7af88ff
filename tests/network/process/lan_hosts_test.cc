// SPDX-License-Identifier: Apache-2.0
#include "network/process/lan_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilcop {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kOne = "02:00:00:00:00:50", kTwo = "02:00:00:00:00:51";
const LanHosts::Leases kLeases{{kOne, "10.77.0.100"}, {kTwo, "10.77.0.101"}};

TEST(LanHosts, AloneEverythingIsTheDevices) {
  LanHosts hosts(false);
  EXPECT_THAT(hosts.addresses(""), IsEmpty());
  hosts.set_leases([] { return kLeases; });
  hosts.add_port("one", [] { return std::vector<SeenHost>{}; });
  EXPECT_EQ(hosts.leases("one"), kLeases);
  EXPECT_THAT(hosts.addresses("one"), UnorderedElementsAre("10.77.0.100", "fe80::ff:fe00:50", "10.77.0.101", "fe80::ff:fe00:51"));
}

// Those that hide their MAC (RFC 7217), and those that a router's prefix gave them.
TEST(LanHosts, AddressesThatWereSeenAreAmongThemWhereTheyAreReached) {
  LanHosts hosts(false);
  hosts.add_subnet("10.77.0.1/24");
  hosts.add_subnet("fd77::1/64");
  hosts.add_port("one", [] {
    return std::vector<SeenHost>{
        {kOne, {"10.77.0.9", "192.168.1.5", "2001:db8::5", "fd77::8000:1", "fd77:0:0:1::5", "fe80::1234", "febf::1"}}};
  });
  EXPECT_THAT(hosts.addresses(""), UnorderedElementsAre("fd77::8000:1", "fe80::1234", "febf::1"));
  hosts.add_subnet("febf::1/64");
  EXPECT_THAT(hosts.addresses(""), UnorderedElementsAre("fd77::8000:1", "fe80::1234"))
      << "whoever speaks as the gateway is not asked there";
  hosts.add_subnet("fd77:0:0:1::1/64");
  EXPECT_THAT(hosts.addresses(""), UnorderedElementsAre("fd77::8000:1", "fd77:0:0:1::5", "fe80::1234"));
}

TEST(LanHosts, OnASharedNetworkEachHasThoseOfItsPort) {
  LanHosts hosts(true);
  hosts.set_leases([] { return kLeases; });
  EXPECT_THAT(hosts.leases("one"), IsEmpty()) << "nobody has spoken there";
  hosts.add_port("one", [] { return std::vector<SeenHost>{{kOne, {"fe80::1"}}}; });
  hosts.add_port("two", [] { return std::vector<SeenHost>{{kTwo, {"fe80::2"}}}; });
  EXPECT_THAT(hosts.leases("one"), UnorderedElementsAre(Pair(kOne, "10.77.0.100")));
  EXPECT_THAT(hosts.addresses("two"), UnorderedElementsAre("10.77.0.101", "fe80::ff:fe00:51", "fe80::2"));
  EXPECT_EQ(hosts.leases(""), kLeases);
  EXPECT_THAT(hosts.leases("three"), IsEmpty());
}

}  // namespace
}  // namespace hilcop
