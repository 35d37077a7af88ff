// SPDX-License-Identifier: Apache-2.0
// The wire between two taps of the kernel: what the device's end sends comes out at the gateway, and back.
#include "network/wire/wire.h"

#include <poll.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "capture/capture_reader.h"
#include "capture/packet_recorder.h"
#include "network/port/links.h"
#include "network/port/packet_ring.h"
#include "network/port/tap.h"

namespace hilcop {
namespace {

constexpr std::size_t kSize = 200;

// Of a protocol for experiments (IEEE 802: 0x88b5), so that the kernel's own neighbour discovery is told from it.
std::vector<std::byte> frame_of(std::uint32_t number) {
  std::vector<std::byte> frame(kSize, std::byte{0});
  for (std::size_t i = 0; i < 6; ++i) frame[i] = std::byte{0xff};
  frame[6] = std::byte{0x02};
  frame[12] = std::byte{0x88};
  frame[13] = std::byte{0xb5};
  for (std::size_t i = 0; i < 4; ++i) frame[14 + i] = static_cast<std::byte>(number >> (8 * i));
  return frame;
}

std::optional<std::uint32_t> number_of(std::span<const std::byte> frame) {
  if (frame.size() != kSize || frame[12] != std::byte{0x88} || frame[13] != std::byte{0xb5}) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number |= static_cast<std::uint32_t>(frame[14 + i]) << (8 * i);
  return number;
}

class WireTest : public ::testing::Test {
 protected:
  UniqueFd up(const std::string& name) {
    auto tap = make_tap(name);
    links_.set_queue_length(name, 10'000);
    links_.set_up(name, true);
    return tap;
  }
  void send_from_device(std::uint32_t number) {
    const auto frame = frame_of(number);
    ASSERT_EQ(::write(device_.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  }
  /// Of what comes out at the gateway, the next of ours.
  std::optional<std::uint32_t> at_gateway(Nanoseconds within) {
    for (const auto deadline = Deadline::in(within);;) {
      while (true) {
        const auto frame = gateway_end_.next();
        if (frame.empty()) break;
        if (const auto number = number_of(frame)) return number;
      }
      pollfd ready{gateway_end_.fd(), POLLIN, 0};
      if (::poll(&ready, 1, deadline.poll_timeout_ms()) == 0) return std::nullopt;
    }
  }
  std::optional<std::uint32_t> at_device(Nanoseconds within) {
    std::byte frame[2048];
    for (const auto deadline = Deadline::in(within);;) {
      pollfd ready{device_.get(), POLLIN, 0};
      if (::poll(&ready, 1, deadline.poll_timeout_ms()) == 0) return std::nullopt;
      const auto size = ::read(device_.get(), frame, sizeof frame);
      if (size > 0)
        if (const auto number = number_of(std::span(frame).first(static_cast<std::size_t>(size)))) return number;
    }
  }

  Links links_;
  UniqueFd device_ = up("port");
  UniqueFd gateway_ = up("gateway");
  FrameRing gateway_end_{"gateway"};
  Wire wire_{"port", std::move(gateway_)};
};

TEST_F(WireTest, CarriesBothWays) {
  send_from_device(1);
  EXPECT_EQ(at_gateway(5s), 1U);
  ASSERT_TRUE(gateway_end_.send(frame_of(2)));
  EXPECT_EQ(at_device(5s), 2U);
}

TEST_F(WireTest, LosesNoneOfMany) {
  constexpr std::uint32_t kMany = 20'000, kAtOnce = 4000;
  for (std::uint32_t begin = 0; begin < kMany; begin += kAtOnce) {
    for (std::uint32_t i = begin; i < begin + kAtOnce; ++i) send_from_device(i);
    for (std::uint32_t i = begin; i < begin + kAtOnce; ++i) ASSERT_EQ(at_gateway(10s), i);
  }
  const auto counts = wire_.counts(Direction::FromDevice);
  EXPECT_EQ(counts.not_kept + counts.not_taken, 0U);
}

TEST_F(WireTest, CutNothingPassesAndAllIsCounted) {
  send_from_device(1);
  ASSERT_EQ(at_gateway(5s), 1U);
  wire_.set_cut(true);
  send_from_device(2);
  ASSERT_TRUE(gateway_end_.send(frame_of(3)));
  const auto deadline = Deadline::in(10s);
  while (wire_.counts(Direction::FromDevice).cut == 0 || wire_.counts(Direction::ToDevice).cut == 0)
    ASSERT_FALSE(deadline.expired()) << "what the cut wire took is not counted";
  wire_.set_cut(false);
  send_from_device(4);
  EXPECT_EQ(at_gateway(5s), 4U);
  ASSERT_TRUE(gateway_end_.send(frame_of(5)));
  EXPECT_EQ(at_device(5s), 5U);
}

TEST_F(WireTest, DelaysOneDirectionAlone) {
  wire_.impair(Direction::FromDevice, {.delay = 200ms}, 1);
  const auto begin = real_clock().now();
  send_from_device(1);
  EXPECT_EQ(at_gateway(5s), 1U);
  EXPECT_GE(real_clock().now() - begin, Nanoseconds(199ms));
  ASSERT_TRUE(gateway_end_.send(frame_of(2)));
  EXPECT_EQ(at_device(5s), 2U);
  EXPECT_EQ(wire_.counts(Direction::ToDevice).frames.lost, 0U);
}

// What is asked is what a host at the other end measures, too.
TEST_F(WireTest, LosesTheShareThatIsAskedAndCountsIt) {
  constexpr std::uint32_t kSent = 5000;
  wire_.impair(Direction::FromDevice, {.loss = 0.2}, 7);
  for (std::uint32_t i = 0; i < kSent; ++i) send_from_device(i);
  for (const auto deadline = Deadline::in(20s); wire_.counts(Direction::FromDevice).frames.arrived < kSent;)
    ASSERT_FALSE(deadline.expired()) << "they have not all come to the wire";
  wire_.impair(Direction::FromDevice, {}, 7);
  send_from_device(kSent);
  std::uint32_t came = 0;
  for (auto number = at_gateway(20s); number != kSent; number = at_gateway(20s), ++came) ASSERT_TRUE(number);
  const auto counts = wire_.counts(Direction::FromDevice);
  EXPECT_EQ(counts.frames.lost, kSent - came);
  EXPECT_EQ(counts.not_kept + counts.not_taken, 0U);
  EXPECT_NEAR(static_cast<double>(came), 4000, 114);  // 4 standard deviations: sqrt(5000 * 0.2 * 0.8) = 28
}

TEST_F(WireTest, IsNoFasterThanTheRateThatIsAsked) {
  constexpr std::uint32_t kSent = 100;
  wire_.impair(Direction::FromDevice, {.rate = 400'000}, 1);
  const auto begin = real_clock().now();
  for (std::uint32_t i = 0; i < kSent; ++i) send_from_device(i);
  for (std::uint32_t i = 0; i < kSent; ++i) ASSERT_EQ(at_gateway(20s), i);
  EXPECT_GE(real_clock().now() - begin, Nanoseconds(4ms) * (kSent - 1)) << "200 bytes take 4 ms each";
  EXPECT_EQ(wire_.counts(Direction::FromDevice).frames.lost, 0U);
}

TEST_F(WireTest, APortThatWasDownCarriesAgain) {
  links_.set_up("port", false);
  links_.set_up("port", true);
  send_from_device(9);
  EXPECT_EQ(at_gateway(5s), 9U);
}

class PacketRecorderTest : public WireTest {
 protected:
  void SetUp() override { std::filesystem::remove(file_); }
  void TearDown() override { std::filesystem::remove(file_); }
  std::vector<std::uint32_t> recorded(std::vector<std::string>* comments = nullptr) const {
    CaptureReader reader(file_);
    std::vector<std::uint32_t> numbers;
    while (const auto packet = reader.next()) {
      if (const auto number = number_of(packet->bytes)) {
        numbers.push_back(*number);
        if (comments != nullptr) comments->push_back(packet->comment);
      }
    }
    EXPECT_TRUE(reader.damage().empty());
    return numbers;
  }
  std::filesystem::path file_ = std::filesystem::temp_directory_path() / ("recorder-" + std::to_string(::getpid()) + ".pcapng");
};

TEST_F(PacketRecorderTest, WhatHasPassedIsInTheFileAfterASync) {
  PacketRecorder recorder(std::make_unique<PacketRing>("port"), std::make_unique<PcapngWriter>(file_, "test"));
  for (std::uint32_t i = 0; i < 100; ++i) send_from_device(i);
  recorder.sync(Deadline::in(5s));
  EXPECT_EQ(recorded().size(), 100U);
  ASSERT_TRUE(gateway_end_.send(frame_of(100)));  // the other direction is in it too
  ASSERT_EQ(at_device(5s), 100U);
  recorder.sync(Deadline::in(5s));
  EXPECT_EQ(recorded().back(), 100U);
}

TEST_F(PacketRecorderTest, CountsStandAtItsEndAndAMarkAtTheNextPacket) {
  PacketRecorder recorder(std::make_unique<PacketRing>("port"), std::make_unique<PcapngWriter>(file_, "test"));
  send_from_device(1);
  recorder.sync(Deadline::in(5s));
  recorder.mark("power goes off");
  send_from_device(2);
  const auto status = recorder.stop();
  EXPECT_EQ(status.dropped, 0U);
  EXPECT_FALSE(status.failure.has_value());
  std::vector<std::string> comments;
  EXPECT_EQ(recorded(&comments), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(comments, (std::vector<std::string>{"", "power goes off"}));
  CaptureReader reader(file_);
  while (reader.next()) {
  }
  ASSERT_TRUE(reader.counts().at(0).has_value());
  EXPECT_EQ(reader.counts().at(0)->received, status.packets);
  EXPECT_EQ(reader.counts().at(0)->dropped, 0U);
}

TEST_F(PacketRecorderTest, AVlanTagIsInTheFile) {
  PacketRecorder recorder(std::make_unique<PacketRing>("port"), std::make_unique<PcapngWriter>(file_, "test"));
  auto frame = frame_of(7);
  const std::byte tag[] = {std::byte{0x81}, std::byte{0x00}, std::byte{0x00}, std::byte{0x2a}};
  frame.insert(frame.begin() + 12, std::begin(tag), std::end(tag));
  ASSERT_EQ(::write(device_.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  recorder.stop();
  CaptureReader reader(file_);
  bool found = false;
  while (const auto packet = reader.next()) found |= std::equal(packet->bytes.begin(), packet->bytes.end(), frame.begin(), frame.end());
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace hilcop
