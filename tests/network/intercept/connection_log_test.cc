// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/connection_log.h"

#include <gtest/gtest.h>

namespace hilcop {
namespace {

InterceptedConnection connection(std::uint64_t number, const std::string& name, SteadyTime accepted) {
  InterceptedConnection made;
  made.number = number;
  made.name = name;
  made.accepted.steady = accepted;
  return made;
}

// Who says that all are known must know that none goes on.
TEST(ConnectionLogTest, TellsHowManyGoOn) {
  ConnectionLog log;
  const InterceptTarget any, cloud{.server_name = "cloud.example"}, other{.server_name = "other.example"};
  const SteadyTime early{1s}, late{2s};
  EXPECT_EQ(log.going(any, {}), 0U);
  log.came(1);
  EXPECT_EQ(log.going(other, late), 1U) << "where it wants to go is not known yet";
  log.aims(connection(1, "cloud.example", early));
  EXPECT_EQ(log.going(any, {}), 1U);
  EXPECT_EQ(log.going(cloud, early), 1U);
  EXPECT_EQ(log.going(cloud, late), 0U);
  EXPECT_EQ(log.going(other, {}), 0U);
  log.came(2);
  log.aims(connection(2, "other.example", late));
  EXPECT_EQ(log.going(any, {}), 2U);
  log.ended(connection(1, "cloud.example", early));
  EXPECT_EQ(log.going(any, {}), 1U);
  EXPECT_EQ(log.going(cloud, {}), 0U);
  EXPECT_EQ(log.all(any, {}).size(), 1U);
}

}  // namespace
}  // namespace hilcop
