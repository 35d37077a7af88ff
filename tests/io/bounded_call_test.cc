// SPDX-License-Identifier: Apache-2.0
#include "io/bounded_call.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "fakes/error_of.h"

namespace hilcop {
namespace {

TEST(BoundedCalls, WhatIsThrownIsThrownAndWhatIsDoneIsDone) {
  BoundedCalls calls("hub");
  auto done = std::make_shared<std::atomic<bool>>(false);
  calls.run("switch", Deadline::in(5s), [done] { *done = true; });
  EXPECT_TRUE(*done);
  const auto error = error_of([&] { calls.run("switch", Deadline::in(5s), [] { throw Error(ErrorKind::Busy, "port", "taken"); }); });
  EXPECT_EQ(error.kind(), ErrorKind::Busy);
  EXPECT_NO_THROW(calls.run("switch", Deadline::in(5s), [] {}));
}

TEST(BoundedCalls, ACallThatIsHeldIsATimeoutAndNoOtherOvertakesIt) {
  BoundedCalls calls("hub");
  auto gate = std::make_shared<std::promise<void>>();
  auto overtook = std::make_shared<std::atomic<bool>>(false);
  const auto begin = real_clock().now();
  EXPECT_EQ(error_of([&] { calls.run("switch", Deadline::in(50ms), [gate] { gate->get_future().wait(); }); }).kind(), ErrorKind::Timeout);
  const auto second = error_of([&] { calls.run("switch", Deadline::in(50ms), [overtook] { *overtook = true; }); });
  EXPECT_EQ(second.kind(), ErrorKind::Timeout);
  EXPECT_LT(real_clock().now() - begin, 2s);
  EXPECT_FALSE(*overtook);
  gate->set_value();
  calls.run("switch", Deadline::in(5s), [overtook] { *overtook = true; });
  EXPECT_TRUE(*overtook);
}

TEST(BoundedCalls, AnExpiredDeadlineDoesNothing) {
  BoundedCalls calls("hub");
  auto done = std::make_shared<std::atomic<bool>>(false);
  EXPECT_EQ(error_of([&] { calls.run("switch", Deadline::in(-1s), [done] { *done = true; }); }).kind(), ErrorKind::Timeout);
  EXPECT_FALSE(*done);
}

}  // namespace
}  // namespace hilcop
