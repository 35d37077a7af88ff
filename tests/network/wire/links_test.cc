// SPDX-License-Identifier: Apache-2.0
#include "network/port/links.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "base/deadline.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "network/port/connect.h"
#include "network/port/hardware_losses.h"
#include "network/port/tap.h"

namespace hilcop {
namespace {

TEST(Links, LooksForANeighbourAsOftenAsItShould) {
  Links links;
  const auto tap = make_tap("neighbours");
  links.set_up("neighbours", true);
  links.add_address("neighbours", "10.99.0.1/24");
  links.set_neighbour_retry("neighbours", std::chrono::milliseconds(50));
  EXPECT_EQ(links.neighbour("neighbours", "10.99.0.2"), Links::Neighbour::Unknown);
  // A connection that nobody takes: each of its tries asks three times, which takes three seconds where it is a second each.
  EXPECT_THROW(connect_tcp("10.99.0.2", 80, "neighbours", Deadline::in(1s)), Error);
  std::array<std::byte, 2048> frame{};
  int questions = 0;
  for (pollfd ready{tap.get(), POLLIN, 0}; ::poll(&ready, 1, 0) == 1;) {
    ASSERT_GT(::read(tap.get(), frame.data(), frame.size()), 0);
    questions += frame[12] == std::byte{0x08} && frame[13] == std::byte{0x06};
  }
  EXPECT_GE(questions, 3);
  EXPECT_EQ(links.neighbour("neighbours", "10.99.0.2"), Links::Neighbour::Nobody);
}

TEST(Links, WhatAnInterfaceLosesIsCountedFromThereOnAndKeptWhenItGoes) {
  Links links;
  auto tap = make_tap("lossy");
  const std::array<std::byte, 60> frame{};
  const auto lose_one = [&] { EXPECT_LT(::write(tap.get(), frame.data(), frame.size()), 0) << "it is down"; };
  lose_one();
  HardwareLosses losses("lossy");
  EXPECT_EQ(losses(), 0U) << "that was before";
  lose_one();
  lose_one();
  const auto become = [&](std::uint64_t count) {
    for (const auto deadline = Deadline::in(20s); losses() != count && !deadline.expired();) wait_until(deadline.at_most(5ms));
    return losses();
  };
  EXPECT_EQ(become(2), 2U);
  tap.reset();
  wait_until(Deadline::in(2 * HardwareLosses::kEvery));
  EXPECT_EQ(losses(), 2U);
  tap = make_tap("lossy");  // whose counts begin anew
  wait_until(Deadline::in(2 * HardwareLosses::kEvery));
  EXPECT_EQ(losses(), 2U);
  lose_one();
  EXPECT_EQ(become(3), 3U);
}

TEST(Links, OfAnInterfaceThatIsNotThereItSaysSo) {
  Links links;
  EXPECT_EQ(error_of([&] { links.set_neighbour_retry("nowhere", std::chrono::milliseconds(50)); }).kind(), ErrorKind::NotFound);
  EXPECT_EQ(error_of([&] { links.ignore_routers("nowhere"); }).kind(), ErrorKind::NotFound);
}

}  // namespace
}  // namespace hilcop
