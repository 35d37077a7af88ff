// SPDX-License-Identifier: Apache-2.0
// A link that is held: what it does after a failure, and that no answer is taken for another's.
#include "keeper/link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "fakes/error_of.h"
#include "fakes/slow_stream.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

class LinkTest : public testing::TestWithParam<Link::AfterFailure> {
 protected:
  Link link() {
    return {"unit 'u'", GetParam(), [this](Deadline) { return opened(); },
            [this](Exchange& exchange, Deadline deadline) {
              ++settled_;
              exchange.send("S", deadline);
            }};
  }
  std::unique_ptr<ByteStream> opened() {
    if (refuses_) throw Error(ErrorKind::NotFound, "port", "there is none", "plug it in");
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) throw std::runtime_error("no socket pair");
    far_.reset(ends[1]);
    ++opened_;
    return std::make_unique<SlowStream>(make_socket_stream(UniqueFd(ends[0]), "port"), 1);
  }
  void says(const std::string& text) { ASSERT_EQ(::write(far_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size())); }
  static Deadline soon() { return Deadline::in(5s); }
  static std::string ask(Link& link, Deadline deadline) {
    std::string answer;
    link.use(deadline, [&](Exchange& exchange) {
      exchange.send("?", deadline);
      answer = exchange.receive_until("\n", deadline);
    });
    return answer;
  }

  UniqueFd far_;
  std::atomic<int> opened_{0}, settled_{0};
  bool refuses_ = false;
};

INSTANTIATE_TEST_SUITE_P(Kinds, LinkTest, testing::Values(Link::AfterFailure::Reopen, Link::AfterFailure::Settle),
                         [](const auto& kind) { return kind.param == Link::AfterFailure::Reopen ? "Reopen" : "Settle"; });

TEST_P(LinkTest, IsOpenedAndSettledOnce) {
  auto unit = link();
  unit.open(soon());
  for (int i = 0; i < 3; ++i) {
    says("yes\n");
    EXPECT_EQ(ask(unit, soon()), "yes\n");
  }
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(settled_, 1);
}

TEST_P(LinkTest, ALateAnswerIsNotTheNextOnes) {
  auto unit = link();
  unit.open(soon());
  const auto error = error_of([&] { ask(unit, Deadline::in(50ms)); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_EQ(error.object(), "unit 'u'");
  std::string answer;
  std::jthread far([this] {
    if (GetParam() == Link::AfterFailure::Settle) [[maybe_unused]]
      const auto late = ::write(far_.get(), "late\n", 5);
    while (settled_ < 2) real_clock().sleep_until(real_clock().now() + 1ms);
    [[maybe_unused]] const auto sent = ::write(far_.get(), "right\n", 6);
  });
  EXPECT_EQ(ask(unit, soon()), "right\n");
  EXPECT_EQ(opened_, GetParam() == Link::AfterFailure::Reopen ? 2 : 1) << "to open a serial port again moves its lines";
}

TEST_P(LinkTest, SettlingEndsByTheDeadline) {
  auto unit = link();
  unit.open(soon());
  error_of([&] { ask(unit, Deadline::in(20ms)); });
  const auto begin = real_clock().now();
  EXPECT_EQ(error_of([&] { ask(unit, Deadline::in(50ms)); }).kind(), ErrorKind::Timeout);
  EXPECT_LT(real_clock().now() - begin, 500ms);
}

TEST_P(LinkTest, WhatWasLostIsOpenedAgainAndSaidAgain) {
  auto unit = link();
  unit.open(soon());
  far_.reset();
  std::jthread far([this] {
    while (settled_ < 2) real_clock().sleep_until(real_clock().now() + 1ms);
    says("back\n");
  });
  EXPECT_EQ(ask(unit, soon()), "back\n");
  EXPECT_EQ(opened_, 2);
}

TEST_P(LinkTest, WhatWasLostAndIsNotThereIsDisconnected) {
  auto unit = link();
  unit.open(soon());
  far_.reset();
  refuses_ = true;
  const auto error = error_of([&] { ask(unit, soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
  EXPECT_EQ(error.object(), "unit 'u'");
  EXPECT_THAT(error_of([&] { ask(unit, soon()); }).what(), HasSubstr("unit 'u': there is none"));
}

}  // namespace
}  // namespace hilcop
