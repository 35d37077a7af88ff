// SPDX-License-Identifier: Apache-2.0
#include "io/host_interface.h"

#include <gtest/gtest.h>

namespace hilcop {
namespace {

TEST(HostInterface, AMacAddressIsTheSameHoweverItIsWritten) {
  const std::string mac = "00:e0:4c:68:00:0a";
  for (const char* same : {"00:e0:4c:68:00:0a", "00:E0:4C:68:00:0A", "00-E0-4C-68-00-0A", "00e04c68000a"}) EXPECT_TRUE(same_mac(mac, same));
  for (const char* other : {"00:e0:4c:68:00:0b", "", "00:e0:4c:68:00", "0:e0:4c:68:0:a"}) EXPECT_FALSE(same_mac(mac, other)) << other;
}

}  // namespace
}  // namespace hilcop
