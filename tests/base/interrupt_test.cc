// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"

#include <thread>

#include <gtest/gtest.h>

namespace hilcop {
namespace {

class InterruptTest : public testing::Test {
 protected:
  void TearDown() override { clear_interrupt(); }
};

TEST_F(InterruptTest, EndsEveryWaitUntilItIsCleared) {
  request_interrupt();
  EXPECT_THROW(wait_until(Deadline::in(60s)), Interrupted);
  EXPECT_THROW(wait_ready(-1, 0, Deadline::in(60s)), Interrupted);
  clear_interrupt();
  EXPECT_NO_THROW(wait_until(Deadline::in(1ms)));
}

TEST_F(InterruptTest, WhatIsDeferredWaitsToItsDeadlineAndTheNextWaitEnds) {
  request_interrupt();
  {
    const InterruptsDeferred outer;
    const InterruptsDeferred inner;
    const auto begin = real_clock().now();
    EXPECT_NO_THROW(wait_until(Deadline::in(20ms)));
    EXPECT_GE(real_clock().now() - begin, 20ms);
    bool ended = false;
    std::thread([&ended] {
      try {
        wait_until(Deadline::in(60s));
      } catch (const Interrupted&) {
        ended = true;
      }
    }).join();
    EXPECT_TRUE(ended) << "it is deferred for this thread alone";
  }
  EXPECT_THROW(wait_until(Deadline::in(60s)), Interrupted);
}

}  // namespace
}  // namespace hilcop
