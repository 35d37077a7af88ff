// SPDX-License-Identifier: Apache-2.0
#include "io/faulty_stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

std::string some_bytes(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

// What a line with these faults makes of the bytes: the plan in one go, breaks left out.
std::string model(const LineFaults& faults, const std::string& sent, bool to_device = false) {
  FaultPlan plan(faults, to_device);
  std::string out;
  std::string_view rest = sent;
  while (!rest.empty()) {
    if (plan.until_break() == 0) plan.take_break();
    const auto n = std::min<std::uint64_t>(rest.size(), plan.until_break());
    plan.pass(rest.substr(0, n), out);
    rest.remove_prefix(n);
  }
  return out;
}

class FaultyStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    line_.reset(ends[0]);
    device_.reset(ends[1]);
  }
  // The line itself lives on when a stream on it breaks.
  std::unique_ptr<ByteStream> open(const std::shared_ptr<LineFaultState>& state) const {
    return make_faulty_stream(make_socket_stream(UniqueFd(::dup(line_.get())), "line"), state);
  }
  static std::shared_ptr<LineFaultState> state_of(const LineFaults& faults, std::vector<LineFault>* told = nullptr) {
    return std::make_shared<LineFaultState>(faults, [told](const LineFault& fault) {
      if (told != nullptr) told->push_back(fault);
    });
  }
  // All that arrives, over as many connections as it takes.
  std::string receive(const std::shared_ptr<LineFaultState>& state, const std::string& sent, std::size_t most, int* disconnects) const {
    auto stream = open(state);
    std::string got;
    std::string_view unsent = sent;
    std::vector<std::byte> buffer(most);
    while (state->from_device.passed() < sent.size() || wait_ready(stream->fd(), POLLIN, Deadline::in(20ms))) {
      if (!unsent.empty())
        if (const auto n = ::write(device_.get(), unsent.data(), std::min<std::size_t>(unsent.size(), 1000)); n > 0)
          unsent.remove_prefix(n);
      if (!wait_ready(stream->fd(), POLLIN, Deadline::in(10s))) break;
      try {
        const auto n = stream->read_some(buffer);
        got.append(reinterpret_cast<const char*>(buffer.data()), n);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
        ++*disconnects;
        stream = open(state);
      }
    }
    return got;
  }

  UniqueFd line_, device_;
};

TEST_F(FaultyStreamTest, TheSameSeedGivesTheSameFaultsHoweverTheBytesAreCut) {
  const LineFaults faults{.seed = 7,
                          .drop_every = 300,
                          .duplicate_every = 200,
                          .corrupt_every = 150,
                          .stall_every = 2000,
                          .disconnect_every = 1500,
                          .stall = 1ms};
  const std::string sent = some_bytes(20'000);
  const std::string expected = model(faults, sent);
  EXPECT_NE(expected, sent);
  for (const std::size_t most : {1u, 2u, 7u, 4096u}) {
    int disconnects = 0;
    std::vector<LineFault> told;
    EXPECT_EQ(receive(state_of(faults, &told), sent, most, &disconnects), expected) << most;
    EXPECT_EQ(disconnects, std::count_if(told.begin(), told.end(), [](const auto& f) { return f.kind == LineFaultKind::Disconnect; }));
    EXPECT_GT(disconnects, 3);
  }
  LineFaults other = faults;
  other.seed = 8;
  EXPECT_NE(model(other, sent), expected);
}

TEST_F(FaultyStreamTest, FaultsComeAsOftenAsAsked) {
  const std::string sent(1'000'000, 'x');
  EXPECT_NEAR(static_cast<double>(sent.size() - model({.drop_every = 1000}, sent).size()), 1000, 150);
  EXPECT_NEAR(static_cast<double>(model({.duplicate_every = 1000}, sent).size() - sent.size()), 1000, 150);
  const auto corrupt = model({.corrupt_every = 1000}, sent);
  EXPECT_EQ(corrupt.size(), sent.size());
  EXPECT_NEAR(static_cast<double>(std::count_if(corrupt.begin(), corrupt.end(), [](char c) { return c != 'x'; })), 1000, 150);
  EXPECT_EQ(model({}, sent), sent);
}

TEST_F(FaultyStreamTest, FaultsThatAreFarApartDoNotComeAtOnce) {
  const std::string sent = some_bytes(100);
  for (std::uint64_t seed = 0; seed < 50; ++seed) EXPECT_EQ(model({.seed = seed, .drop_every = UINT64_MAX}, sent), sent) << seed;
}

TEST_F(FaultyStreamTest, WhatIsToldIsWhatWasDone) {
  std::vector<LineFault> told;
  FaultPlan plan({.seed = 3, .drop_every = 50}, false, [&](const LineFault& fault) { told.push_back(fault); });
  const std::string sent = some_bytes(1000);
  std::string out, expected = sent;
  plan.pass(sent, out);
  for (auto it = told.rbegin(); it != told.rend(); ++it) expected.erase(it->offset, 1);
  EXPECT_FALSE(told.empty());
  EXPECT_EQ(out, expected);
}

TEST_F(FaultyStreamTest, AStallIsSilenceThenEverything) {
  const auto state = state_of({.seed = 1, .stall_every = 10, .stall = 50ms});
  const auto stream = open(state);
  const std::string sent = some_bytes(200);
  ASSERT_EQ(::write(device_.get(), sent.data(), sent.size()), 200);
  std::array<std::byte, 4096> buffer;
  std::string got;
  int waits = 0;
  const Deadline deadline = Deadline::in(20s);
  while (got.size() < sent.size() && !deadline.expired()) {
    const auto before = real_clock().now();
    ASSERT_TRUE(wait_ready(stream->fd(), POLLIN, deadline));
    if (real_clock().now() - before > 40ms) ++waits;
    got.append(reinterpret_cast<const char*>(buffer.data()), stream->read_some(buffer));
  }
  EXPECT_EQ(got, sent);
  EXPECT_GT(waits, 3);
}

TEST_F(FaultyStreamTest, AHangUpDuringAStallDoesNotSpin) {
  const auto stream = open(state_of({.seed = 1, .stall_every = 1, .stall = 10s}));
  ASSERT_EQ(::write(device_.get(), "abcdefgh", 8), 8);
  std::array<std::byte, 64> buffer;
  const Deadline deadline = Deadline::in(5s);
  while (wait_ready(stream->fd(), POLLIN, deadline.at_most(20ms))) stream->read_some(buffer);
  device_.reset();
  EXPECT_FALSE(wait_ready(stream->fd(), POLLIN, Deadline::in(20ms)));
}

TEST_F(FaultyStreamTest, WhatTheDeviceIsToldIsFaultyToo) {
  const LineFaults faults{.seed = 4, .drop_every = 40, .duplicate_every = 50, .corrupt_every = 60, .from_device = false, .to_device = true};
  const auto stream = open(state_of(faults));
  const std::string sent = some_bytes(5000);
  std::string_view rest = sent;
  std::string heard;
  while (!rest.empty()) {
    rest.remove_prefix(stream->write_some(std::as_bytes(std::span(rest))));
    std::array<char, 512> buffer;
    for (ssize_t n = 0; (n = ::read(device_.get(), buffer.data(), buffer.size())) > 0;) heard.append(buffer.data(), n);
  }
  EXPECT_EQ(heard, model(faults, sent, true));
  EXPECT_NE(heard, sent);
}

TEST_F(FaultyStreamTest, ALineThatTakesNothingLosesNothing) {
  const auto stream = open(state_of({.seed = 4, .duplicate_every = 50, .from_device = false, .to_device = true}));
  const std::string sent = some_bytes(1'000'000);
  std::string_view rest = sent;
  std::string heard;
  std::array<char, 100'000> buffer;
  for (int full = 0; !rest.empty();) {
    const auto n = stream->write_some(std::as_bytes(std::span(rest)));
    rest.remove_prefix(n);
    if (n != 0 && !rest.empty()) continue;
    ASSERT_LT(++full, 100'000);
    for (ssize_t got = 0; (got = ::read(device_.get(), buffer.data(), buffer.size())) > 0;) heard.append(buffer.data(), got);
  }
  EXPECT_EQ(heard, model({.seed = 4, .duplicate_every = 50, .from_device = false, .to_device = true}, sent, true));
}

TEST_F(FaultyStreamTest, AStallOfNoTimeStallsNothing) {
  const auto stream = open(state_of({.seed = 1, .stall_every = 10, .stall = 0ms}));
  const std::string sent = some_bytes(200);
  ASSERT_EQ(::write(device_.get(), sent.data(), sent.size()), 200);
  std::array<std::byte, 4096> buffer;
  std::string got;
  while (got.size() < sent.size() && wait_ready(stream->fd(), POLLIN, Deadline::in(5s)))
    got.append(reinterpret_cast<const char*>(buffer.data()), stream->read_some(buffer));
  EXPECT_EQ(got, sent);
}

TEST_F(FaultyStreamTest, WhatIsSentAfterASendingThatWasGivenUpIsCountedByItself) {
  const auto stream = open(state_of({.seed = 4, .duplicate_every = 50, .from_device = false, .to_device = true}));
  const std::string many = some_bytes(1'000'000);
  std::string_view rest = many;
  for (int refused = 0; refused < 3;) {
    const auto n = stream->write_some(std::as_bytes(std::span(rest)));
    rest.remove_prefix(n);
    refused += n == 0;
  }
  std::array<char, 100'000> buffer;
  std::string heard;
  const auto hear = [&] {
    for (ssize_t got = 0; (got = ::read(device_.get(), buffer.data(), buffer.size())) > 0;) heard.append(buffer.data(), got);
  };
  hear();
  const std::string_view last = "!?";
  ASSERT_EQ(stream->write_some(std::as_bytes(std::span(last))), 2u);
  hear();
  EXPECT_TRUE(heard.ends_with("!?")) << heard.substr(heard.size() - 10);
}

TEST(LineFaults, AreReadFromTextAndBackToJson) {
  const auto faults = parse_line_faults("drop_every=5000,stall_every=20000,stall_ms=100,seed=3,direction=both");
  EXPECT_EQ(faults.drop_every, 5000u);
  EXPECT_EQ(faults.stall, 100ms);
  EXPECT_TRUE(faults.from_device && faults.to_device);
  EXPECT_EQ(to_json(faults).at("direction"), "both");
  for (const char* wrong : {"", "drop", "drop_every", "drop_every=", "drop_every=-1", "drop_every=1x", "drop=1", "direction=up", "seed=1,,",
                            "stall_ms=99999999", "seed=99999999999999999999"}) {
    const auto error = error_of([&] { parse_line_faults(wrong); });
    EXPECT_EQ(error.kind(), ErrorKind::Config) << wrong;
    EXPECT_THAT(error.what(), HasSubstr("disconnect_every")) << wrong;
  }
}

}  // namespace
}  // namespace hilcop
