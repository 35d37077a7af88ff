// SPDX-License-Identifier: Apache-2.0
#include "io/rfc2217_stream.h"

#include <poll.h>

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/rfc2217_server.h"

namespace hilcop {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using Illness = Rfc2217Server::Illness;

std::unique_ptr<Rfc2217Stream> open(const Rfc2217Server& server, SerialSettings settings = {}, std::chrono::milliseconds answer = 5s) {
  return open_rfc2217_stream({.host = "127.0.0.1", .port = server.port(), .settings = settings, .answer = answer}, Deadline::in(10s));
}

std::string read_text(ByteStream& stream, std::size_t bytes) {
  std::string text;
  std::array<std::byte, 4096> buffer;
  const Deadline deadline = Deadline::in(5s);
  while (text.size() < bytes && wait_ready(stream.fd(), POLLIN, deadline)) {
    const auto n = stream.read_some(std::span(buffer).first(std::min<std::size_t>(buffer.size(), bytes - text.size())));
    text.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
  return text;
}

// Reads until `reached`, or for at most 5 s.
template <typename Condition>
bool read_until(ByteStream& stream, const Condition& reached) {
  std::array<std::byte, 256> buffer;
  const Deadline deadline = Deadline::in(5s);
  while (!reached() && !deadline.expired()) {
    stream.read_some(buffer);
    if (!reached()) wait_ready(stream.fd(), POLLIN, deadline.at_most(20ms));
  }
  return reached();
}

void write(ByteStream& stream, std::string_view text) {
  const Deadline deadline = Deadline::in(5s);
  while (!text.empty() && !deadline.expired()) {
    text.remove_prefix(stream.write_some(std::as_bytes(std::span(text))));
    if (!text.empty()) wait_ready(stream.write_fd(), POLLOUT, deadline);
  }
}

std::string all_bytes() {
  std::string text;
  for (int value = 0; value < 256; ++value) text += static_cast<char>(value);
  return text + "\r\0\xff\xff\r\n"s;
}

TEST(Rfc2217Stream, SetsTheLineAsAsked) {
  Rfc2217Server server;
  const auto stream = open(server, {.baud = 921600, .data_bits = 7, .parity = Parity::Even, .stop_bits = 2, .dtr = false, .rts = true});
  EXPECT_EQ(server.asked(1), "\0\x0e\x10\0"s);
  EXPECT_EQ(server.asked(2), "\x07");
  EXPECT_EQ(server.asked(3), "\x03");
  EXPECT_EQ(server.asked(4), "\x02");
  EXPECT_EQ(server.asked(5, 1), "\x01");
  EXPECT_FALSE(server.dtr());
  EXPECT_TRUE(server.rts());
  EXPECT_EQ(server.asked(10), "\x1e");
  EXPECT_EQ(server.asked(11), "\xff");
  EXPECT_EQ(stream->name(), "rfc2217:127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(stream->remark(), "fake");
}

// The server drives RTS then; asking for it would break the flow.
TEST(Rfc2217Stream, WithHardwareFlowControlRtsIsTheServers) {
  Rfc2217Server server;
  const auto stream = open(server, {.flow = FlowControl::RtsCts, .rts = false});
  EXPECT_EQ(server.asked(5, 3), "\x03");
  stream->set_line(ModemLine::Dtr, true);
  EXPECT_FALSE(server.rts());
}

class AnyServer : public testing::TestWithParam<Illness> {};
INSTANTIATE_TEST_SUITE_P(Ill, AnyServer,
                         testing::Values(Illness{}, Illness{.byte_by_byte = true}, Illness{.no_binary = true},
                                         Illness{.mute_controls = true, .byte_by_byte = true},
                                         // Options nobody has heard of, terminal sizes, a SE alone, no-operations.
                                         Illness{
                                             .greeting = "\xff\xfd\x1f\xff\xfb\x63\xff\xf0\xff\xf1\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"s}),
                         [](const auto& server) { return "Server" + std::to_string(server.index); });

TEST_P(AnyServer, EveryByteGoesThroughBothWays) {
  Rfc2217Server server(GetParam());
  const auto stream = open(server, {}, 300ms);
  // Without binary a CR NUL of the line cannot be told from telnet's own CR NUL: it is given up, and said.
  auto bytes = all_bytes();
  if (GetParam().no_binary) {
    EXPECT_THAT(stream->remark(), HasSubstr("refuses binary"));
    bytes.resize(256);
  }
  server.says(bytes);
  EXPECT_EQ(read_text(*stream, bytes.size()), bytes);
  write(*stream, bytes);
  EXPECT_EQ(server.hears(bytes.size()), bytes);
}

TEST(Rfc2217Stream, WhatTheLineSaysWhileTheServerIsWaitedForIsKept) {
  Rfc2217Server server({.mute_controls = true, .greeting = "U-Boot 2022"});
  const auto stream = open(server, {}, 200ms);
  EXPECT_EQ(read_text(*stream, 11), "U-Boot 2022");
}

TEST(Rfc2217Stream, AServerThatAnswersNoControlIsWaitedForOnceAndItIsSaid) {
  Rfc2217Server server({.mute_controls = true});
  const auto begin = real_clock().now();
  const auto stream = open(server, {}, 200ms);
  EXPECT_EQ(stream->remark(), "fake; does not confirm flow control, DTR, RTS");
  stream->set_line(ModemLine::Dtr, false);
  stream->send_break(1ms);
  EXPECT_LT(real_clock().now() - begin, 2s);
  EXPECT_EQ(server.asked(5, 9), "\x09");
  EXPECT_EQ(server.asked(5, 6), "\x06");
}

TEST(Rfc2217Stream, AServerThatAnswersNothingStillPassesTheLine) {
  Rfc2217Server server({.mute = true});
  const auto stream = open(server, {}, 200ms);
  EXPECT_THAT(stream->remark(), HasSubstr("does not confirm baud, data bits"));
  EXPECT_THAT(stream->remark(), HasSubstr("does not tell of line errors"));
  EXPECT_EQ(stream->line_counters(), std::nullopt);
  server.says("hello");
  EXPECT_EQ(read_text(*stream, 5), "hello");
}

TEST(Rfc2217Stream, ARawPortIsNoServerOfThisProtocol) {
  Rfc2217Server server({.no_telnet = true});
  const auto error = error_of([&] { open(server, {}, 200ms); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_THAT(error.remedy(), HasSubstr("tcp-console"));
}

TEST(Rfc2217Stream, ATelnetServerWithoutThisProtocolIsRefused) {
  Rfc2217Server server({.refuses = true});
  EXPECT_EQ(error_of([&] { open(server); }).kind(), ErrorKind::Unsupported);
}

// At another rate the console would be garbage, and its silence would prove nothing.
TEST(Rfc2217Stream, AnotherBaudRateThanAskedIsAnError) {
  Rfc2217Server server({.other_baud = 9600});
  const auto error = error_of([&] { open(server); });
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_THAT(error.what(), HasSubstr("has set baud to 9600, not 115200"));
}

TEST(Rfc2217Stream, TheNearestRateOfADividerIsNone) {
  Rfc2217Server server({.other_baud = 114942});
  EXPECT_NO_THROW(open(server));
}

TEST(Rfc2217Stream, LinesThatDoNotMoveAreAnError) {
  Rfc2217Server server({.contrary_lines = true});
  EXPECT_EQ(error_of([&] { open(server); }).kind(), ErrorKind::Config);
}

TEST(Rfc2217Stream, LinesBreakAndPurge) {
  Rfc2217Server server;
  const auto stream = open(server);
  stream->set_line(ModemLine::Dtr, false);
  stream->set_line(ModemLine::Rts, false);
  EXPECT_FALSE(server.dtr());
  EXPECT_FALSE(server.rts());
  stream->send_break(1ms);
  EXPECT_EQ(server.breaks(), 1);
  EXPECT_TRUE(server.asked(5, 6));
  stream->purge(true, true);
  EXPECT_EQ(server.asked(12), "\x03");
}

TEST(Rfc2217Stream, ABreakLastsUntilItIsLetGo) {
  Rfc2217Server server;
  const auto stream = open(server);
  stream->hold_break(true);
  EXPECT_EQ(server.asked(5, 5), "\x05");
  EXPECT_TRUE(server.line_broken());
  stream->hold_break(false);
  EXPECT_FALSE(server.line_broken());
}

TEST(Rfc2217Stream, ErrorsOfTheLineAreCounted) {
  Rfc2217Server server;
  const auto stream = open(server);
  EXPECT_EQ(stream->line_counters(), LineCounters{});
  server.sends(
      "\xff\xfa\x2c\x6a\x02\xff\xf0"
      "\xff\xfa\x2c\x6a\x1c\xff\xf0"
      "\xff\xfa\x2c\x6a\x60\xff\xf0"s);
  const LineCounters wanted{.overrun = 1, .framing = 1, .parity = 1, .breaks = 1};
  EXPECT_TRUE(read_until(*stream, [&] { return stream->line_counters() == wanted; }));
}

TEST(Rfc2217Stream, ModemLinesAreAsLastTold) {
  Rfc2217Server server;
  const auto stream = open(server);
  EXPECT_EQ(stream->modem_input(ModemInput::Cts), std::nullopt);
  server.sends("\xff\xfa\x2c\x6b\xb0\xff\xf0"s);
  EXPECT_TRUE(read_until(*stream, [&] { return stream->modem_input(ModemInput::Cts) == true; }));
  EXPECT_EQ(stream->modem_input(ModemInput::Ring), false);
}

// It must not burn a processor meanwhile: what is polled for writing is not ready.
TEST(Rfc2217Stream, AServerMayAskForAPause) {
  Rfc2217Server server;
  const auto stream = open(server);
  server.sends("\xff\xfa\x2c\x6c\xff\xf0");
  const std::string text = "x";
  EXPECT_TRUE(read_until(*stream, [&] { return stream->write_some(std::as_bytes(std::span(text))) == 0; }));
  EXPECT_FALSE(wait_ready(stream->write_fd(), POLLOUT, Deadline::in(20ms)));
  server.sends("\xff\xfa\x2c\x6d\xff\xf0");
  EXPECT_TRUE(read_until(*stream, [&] { return wait_ready(stream->write_fd(), POLLOUT, Deadline::in(0ms)); }));
  EXPECT_EQ(stream->write_some(std::as_bytes(std::span(text))), 1u);
}

TEST(Rfc2217Stream, AServerThatGoesInTheMiddleOfACommandIsDisconnected) {
  Rfc2217Server server;
  const auto stream = open(server);
  server.sends("last words\xff\xfa\x2c\x6a");
  EXPECT_EQ(read_text(*stream, 10), "last words");
  server.hang_up();
  EXPECT_EQ(error_of([&] { read_until(*stream, [] { return false; }); }).kind(), ErrorKind::Disconnected);
}

TEST(Rfc2217Stream, ACommandWithoutEndIsNoSilence) {
  Rfc2217Server server;
  const auto stream = open(server);
  server.sends("before\xff\xfa" + std::string(9000, 'x'));
  EXPECT_EQ(read_text(*stream, 6), "before");
  EXPECT_EQ(error_of([&] { read_until(*stream, [] { return false; }); }).kind(), ErrorKind::Protocol);
}

// Thousands of questions are not answered one by one, and the line comes through between them.
TEST(Rfc2217Stream, AFloodOfNegotiationsIsSurvived) {
  Rfc2217Server server;
  const auto stream = open(server);
  std::string flood;
  for (int i = 0; i < 3000; ++i) flood += "\xff\xfd\x1f\xff\xfb\x01\xff\xfc\x01\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"s;
  server.sends(flood + "the line");
  EXPECT_EQ(read_text(*stream, 8), "the line");
  write(*stream, "heard");
  EXPECT_EQ(server.hears(5), "heard");
}

}  // namespace
}  // namespace hilcop
