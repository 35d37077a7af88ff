// SPDX-License-Identifier: Apache-2.0
// Off is verified by a console's silence only where the console could have heard something.
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "bench/kept_roles.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "io/socket_stream.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct NoReadBack final : Lease {
  SwitchResult set(bool, const json&, Deadline) override {
    const auto now = real_clock().now();
    if (switched) switched();
    return {.commanded = now, .acknowledged = real_clock().now(), .read_back = {}};
  }
  SwitchResult set_at(SteadyTime, bool on, const json& options, Deadline deadline) override { return set(on, options, deadline); }
  std::optional<bool> get(Deadline) override { return reads; }
  void arm(const json&, Deadline) override {}
  std::optional<SwitchResult> wait_fired(Deadline) override { return std::nullopt; }
  json endpoint(Deadline) override { return {}; }
  json report(Deadline) override { return {}; }
  Reading measure(Deadline) override { return {}; }
  json adjust(const json&, Deadline) override { return {}; }
  json status(Deadline) override { return {}; }
  const std::string& channel() const override { return name; }
  void release(Deadline) override {}
  std::string name = "1";
  std::optional<bool> reads;
  std::function<void()> switched;
};

// For several poles alone.
struct NoKeeper final : KeeperClient {
  std::unique_ptr<Lease> lease(LeaseRequest, Deadline) override { return nullptr; }
  std::vector<SwitchResult> set_together(const std::vector<Lease*>& leases, bool on, const json& options, Deadline deadline,
                                         std::optional<SteadyTime>) override {
    std::vector<SwitchResult> all;
    for (auto* lease : leases) all.push_back(lease->set(on, options, deadline));
    return all;
  }
  json status(Deadline) override { return {}; }
  json safe_state(bool, Deadline) override { return {}; }
  void on_event(std::function<void(const json&)>) override {}
};

class PowerSilenceTest : public testing::Test, protected PowerListener {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    device_.reset(ends[1]);
    ConsoleOptions options;
    options.source = "a/main";
    options.reopen = []() -> std::unique_ptr<ByteStream> { throw Error(ErrorKind::NotFound, "test", "is not there", "plug it in"); };
    console_ = Console::open(make_socket_stream(UniqueFd(ends[0]), "test"), options, *loop_, sink_);
    PowerConfig config;
    config.verify_console_silence = 100ms;
    power_ = make_power_port("a", config, {&lease_}, keeper_, *this, sink_);
  }
  void on_and_speak() {
    power_->on(Deadline::in(10s));
    ASSERT_EQ(::send(device_.get(), "boot\n", 5, MSG_NOSIGNAL), 5);
    for (const Deadline deadline = Deadline::in(5s); console_->offset() == 0 && !deadline.expired();) wait_until(deadline.at_most(2ms));
  }
  PowerEdge off(Nanoseconds within = 10s) { return power_->off(json::object(), Deadline::in(within)); }
  void before_on() override {}
  void after_on(const SwitchResult&) override {}
  void before_off(SteadyTime) override { ++offs_begun_; }
  void after_off() override {
    console_->power_changed(false);
    if (wrong_after_off_) throw Error(*wrong_after_off_);
  }
  void off_failed() override { ++offs_failed_; }
  Console* main_console() override { return console_.get(); }
  DigitalInput& sensing_input(const std::string&) override { throw Error(ErrorKind::NotFound, "test", "has no input"); }
  Meter& sensing_meter(const std::string&) override { throw Error(ErrorKind::NotFound, "test", "has no meter"); }

  MemorySink sink_;
  int offs_begun_ = 0, offs_failed_ = 0;
  std::optional<Error> wrong_after_off_;
  UniqueFd device_;
  NoReadBack lease_;
  NoKeeper keeper_;
  std::unique_ptr<IoLoop> loop_ = IoLoop::start();
  std::unique_ptr<Console> console_;
  std::unique_ptr<PowerPort> power_;
};

TEST_F(PowerSilenceTest, AConsoleThatSpokeAndIsSilentIsEvidence) {
  on_and_speak();
  EXPECT_EQ(off().verified_by, "console-silence");
  power_->on(Deadline::in(10s));
  EXPECT_EQ(off().verified_by, "") << "this time it had said nothing";
}

TEST_F(PowerSilenceTest, OneThatNeverSpokeIsNone) { EXPECT_EQ(off().verified_by, ""); }

TEST_F(PowerSilenceTest, OneThatWentWithThePowerIsNone) {
  on_and_speak();
  lease_.switched = [&] { device_.reset(); };
  EXPECT_EQ(off().verified_by, "");
}

TEST_F(PowerSilenceTest, OneThatWasLostBeforeIsNone) {
  on_and_speak();
  device_.reset();
  const Deadline deadline = Deadline::in(5s);
  while (console_->gaps_since(0).empty() && !deadline.expired()) wait_until(deadline.at_most(2ms));
  EXPECT_EQ(off().verified_by, "");
  EXPECT_EQ(sink_.events("power.edge").at(0).data.at("verified_by"), "");
}

TEST_F(PowerSilenceTest, OneThatSpeaksOnIsAnError) {
  PowerConfig config;
  config.verify_console_silence = 1s;  // a host with no time for the device makes it silent for a while, too
  power_ = make_power_port("a", config, {&lease_}, keeper_, *this, sink_);
  std::jthread device([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      [[maybe_unused]] const auto n = ::send(device_.get(), "tick\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
      wait_until(Deadline::in(1ms));
    }
  });
  const auto error = error_of([&] { off(3s); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("still speaks"));
}

// A line that cannot be held is an error, but the power went.
TEST_F(PowerSilenceTest, TheEdgeIsOnRecordWhateverIsWrongAfterIt) {
  on_and_speak();
  lease_.reads = false;
  wrong_after_off_ = Error(ErrorKind::Unsupported, "test", "cannot hold TX low");
  EXPECT_EQ(error_of([&] { off(); }).kind(), ErrorKind::Unsupported);
  const auto edges = sink_.events("power.edge");
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges[1].data.at("on"), false);
  EXPECT_EQ(edges[1].data.at("verified_by"), "read-back, console-silence");
}

TEST_F(PowerSilenceTest, ASwitchThatFailsIsToldToo) {
  lease_.switched = [] { throw Error(ErrorKind::Timeout, "test", "does not answer"); };
  EXPECT_EQ(error_of([&] { off(); }).kind(), ErrorKind::Timeout);
  EXPECT_EQ(offs_begun_, 1);
  EXPECT_EQ(offs_failed_, 1);
}

TEST_F(PowerSilenceTest, ReadBackIsThatOfEveryPole) {
  NoReadBack other;
  power_ = make_power_port("a", {}, {&lease_, &other}, keeper_, *this, sink_);
  lease_.reads = false;
  EXPECT_EQ(off().verified_by, "") << "the other pole says nothing";
  other.reads = false;
  EXPECT_EQ(off().verified_by, "read-back");
  other.reads = true;
  EXPECT_THAT(error_of([&] { off(); }).what(), HasSubstr("reads back on"));
}

}  // namespace
}  // namespace hilcop
