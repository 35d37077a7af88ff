// SPDX-License-Identifier: Apache-2.0
#include "io/exchange.h"

#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

TEST(Exchange, WhatBefallsTheStreamIsAnErrorOfTheInstrument) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const auto stream = make_socket_stream(UniqueFd(ends[0]), "tcp:10.0.0.7:5025");
  Exchange exchange(*stream, "supply 'psu'");
  ::close(ends[1]);
  const auto expect_named = [](const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Disconnected) << error.what();
    EXPECT_EQ(error.object(), "supply 'psu'");
    EXPECT_THAT(error.cause(), testing::HasSubstr("tcp:10.0.0.7:5025"));
    EXPECT_FALSE(error.remedy().empty());
  };
  expect_named(error_of([&] { exchange.send("*IDN?\n", Deadline::in(5s)); }));
  expect_named(error_of([&] { exchange.receive_until("\n", Deadline::in(5s)); }));
  expect_named(error_of([&] { exchange.drop_input(); }));
}

}  // namespace
}  // namespace hilcop
