// SPDX-License-Identifier: Apache-2.0
// Stamps and packets by RFC 5905, and the server over real sockets on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "fakes/fake_clock.h"
#include "fakes/loopback_socket.h"
#include "fakes/told.h"
#include "network/services/ntp_server.h"

namespace hilcop::services {
namespace {

using testing::HasSubstr;
using NtpKind = NtpBehaviour::Kind;
using NtpFate = NtpExchange::Fate;
using std::chrono::milliseconds;

constexpr UtcTime kEra1(2'085'978'496s);  // 2036-02-07T06:28:16Z: the first second of the next era

std::string request(int version = 4, NtpMode mode = NtpMode::Client) {
  NtpPacket packet;
  packet.version = static_cast<std::uint8_t>(version);
  packet.mode = mode;
  packet.poll = 6;
  packet.transmit.value = 0x1122334455667788;
  return packet.encode();
}

NtpPacket packet_of(const std::string& bytes) {
  const auto found = parse_ntp(bytes);
  EXPECT_TRUE(found.packet) << found.problem;
  return found.packet.value_or(NtpPacket());
}

TEST(NtpTimeTest, SecondsSince1900InTheirEra) {
  EXPECT_EQ(NtpTime::of(UtcTime()).value, 2'208'988'800u * (std::uint64_t{1} << 32));
  EXPECT_EQ(NtpTime::of(UtcTime(500ms)).value & 0xffffffff, 0x80000000u);
  EXPECT_EQ(NtpTime::of(kEra1 - 1s).value >> 32, 0xffffffffu);
  EXPECT_EQ(NtpTime::of(kEra1).value, 0u) << "and it begins anew";
  EXPECT_EQ(NtpTime::of(kEra1 + 1s).value >> 32, 1u);
  EXPECT_EQ(NtpTime::of(UtcTime(250ms), -500ms).value, NtpTime::of(UtcTime(-250ms)).value);
  EXPECT_EQ(NtpTime::of(UtcTime(750ms), 500ms).value, NtpTime::of(UtcTime(1250ms)).value);
  // 136 years and 36 days are an era: a clock so far ahead shows the same.
  EXPECT_EQ(NtpTime::of(UtcTime(), milliseconds(std::int64_t{4'294'967'296'000})).value, NtpTime::of(UtcTime()).value);
}

TEST(NtpTimeTest, IsReadInTheNearestEra) {
  for (const auto time : {UtcTime(1'700'000'000s + 123'456'789ns), kEra1 - 1ns, kEra1, kEra1 + 5s}) {
    for (const auto near : {time, time - std::chrono::years(60), time + std::chrono::years(60)}) {
      const auto read = NtpTime::of(time).utc(near);
      EXPECT_LE(read > time ? read - time : time - read, 2ns) << to_iso8601(read) << " for " << to_iso8601(time);
    }
  }
}

TEST(NtpPacketTest, StandsOnTheWireByteForByte) {
  NtpPacket packet;
  packet.leap = 3;
  packet.mode = NtpMode::Server;
  packet.stratum = 16;
  packet.poll = -3;
  packet.precision = -20;
  packet.root_delay = 0x01020304;
  packet.root_dispersion = 0x05060708;
  packet.reference_id = "RATE";
  packet.reference.value = 1, packet.origin.value = 2, packet.receive.value = 3, packet.transmit.value = 0x0102030405060708;
  const std::string golden(
      "\xe4\x10\xfd\xec\1\2\3\4\5\6\7\x08RATE"
      "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\1\2\3\4\5\6\7\x08",
      48);
  EXPECT_EQ(packet.encode(), golden);
  EXPECT_EQ(packet_of(golden).encode(), golden);
  EXPECT_EQ(packet_of(golden).poll, -3);
  EXPECT_EQ(packet_of(golden + "signature").beyond, 9u);
  for (std::size_t size = 0; size < 48; ++size) EXPECT_FALSE(parse_ntp(golden.substr(0, size)).packet) << size;
  for (std::size_t bit = 0; bit < golden.size() * 8; ++bit) {
    auto spoilt = golden;
    spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << (bit % 8)));
    const auto found = parse_ntp(spoilt);
    ASSERT_EQ(found.packet ? found.packet->encode() : spoilt, spoilt);
    ASSERT_EQ(found.packet.has_value(), bit != 1) << "mode 6 alone is no packet; it is bit 1 from mode 4: " << bit;
  }
}

class NtpServerTest : public testing::Test {
 protected:
  void start(NtpServerOptions options = {}) {
    auto socket = bound_socket(SOCK_DGRAM, ipv4_address("0.0.0.0", 0));
    ASSERT_TRUE(socket);
    port_ = port_of(*socket);
    options.clock = &clock_;
    server_.emplace(std::move(*socket), told_.listener(), std::move(options));
  }
  NtpPacket ask(int version = 4) const {
    const LoopbackClient client(SOCK_DGRAM, port_);
    client.send(request(version));
    return packet_of(client.receive().value_or(""));
  }
  milliseconds ahead(const NtpPacket& packet) const {
    return std::chrono::round<milliseconds>(packet.transmit.utc(clock_.utc_now()) - clock_.utc_now());
  }
  FakeClock clock_;
  Told<NtpExchange> told_;
  int port_ = 0;
  std::optional<NtpServer> server_;
};

TEST_F(NtpServerTest, ShowsTheClock) {
  start();
  for (const int version : {2, 3, 4}) {
    const auto answer = ask(version);
    EXPECT_EQ(answer.version, version);
    EXPECT_EQ(answer.mode, NtpMode::Server);
    EXPECT_EQ(answer.leap, 0);
    EXPECT_EQ(answer.stratum, 1);
    EXPECT_EQ(answer.poll, 6);
    EXPECT_EQ(answer.origin.value, 0x1122334455667788u) << "the client knows by it that this is for it";
    EXPECT_EQ(answer.receive, NtpTime::of(clock_.utc_now()));
    EXPECT_EQ(answer.transmit, NtpTime::of(clock_.utc_now()));
    EXPECT_LE(answer.reference.value, answer.receive.value);
    EXPECT_LT(answer.receive.value - answer.reference.value, std::uint64_t{16} << 32);
  }
  const auto told = told_.wait_for(3)[1];
  EXPECT_EQ(told.number, 2u);
  EXPECT_EQ(told.version, 3);
  EXPECT_EQ(told.size, 48u);
  EXPECT_EQ(told.fate, NtpFate::Answered);
  EXPECT_EQ(told.answered, "the clock, 0.000 s ahead");
  EXPECT_EQ(told.client_clock->value, 0x1122334455667788u);
  EXPECT_EQ(told.aimed_at.text(), "127.0.0.1:" + std::to_string(port_));
  EXPECT_EQ(told.at, clock_.now());
  EXPECT_EQ(told.utc, clock_.utc_now());
  EXPECT_EQ(server_->counts().answered, 3u);
  EXPECT_FALSE(server_->failure());
}

TEST_F(NtpServerTest, ShowsAnotherClock) {
  start();
  for (const milliseconds offset :
       {milliseconds(1500), milliseconds(-1500), milliseconds(std::chrono::years(15)), milliseconds(-std::chrono::years(30))}) {
    server_->set({.offset = offset});
    const auto answer = ask();
    EXPECT_EQ(ahead(answer), offset);
    EXPECT_EQ(answer.receive, answer.transmit);
  }
  EXPECT_EQ(told_.wait_for(4)[1].answered, "the clock, -1.500 s ahead");
  server_->set({.offset = milliseconds(std::chrono::years(5'000))});
  EXPECT_EQ(ask().transmit, NtpTime::of(clock_.utc_now(), milliseconds(std::chrono::years(5'000))));
}

TEST_F(NtpServerTest, StepsAfterSoManyRequests) {
  start();
  server_->set({.offset = 1s, .step = 1h, .step_after = 2});
  EXPECT_EQ(ahead(ask()), 1s);
  EXPECT_EQ(ahead(ask()), 1s);
  EXPECT_EQ(ahead(ask()), 1h + 1s);
  EXPECT_EQ(ahead(ask()), 1h + 1s);
  EXPECT_EQ(told_.wait_for(3)[2].answered, "the clock, 3601.000 s ahead");
  server_->set({.step = -1h, .step_after = 1});
  EXPECT_EQ(ahead(ask()), 0s) << "set again it counts anew";
  EXPECT_EQ(ahead(ask()), -1h);
}

TEST_F(NtpServerTest, SendsClientsAway) {
  start();
  for (const std::string code : {"RATE", "DENY", "RSTR"}) {
    server_->set({.kind = NtpKind::KissOfDeath, .kiss = code});
    const auto answer = ask();
    EXPECT_EQ(answer.stratum, 0);
    EXPECT_EQ(answer.leap, 3);
    EXPECT_EQ(answer.reference_id, code);
    EXPECT_EQ(answer.origin.value, 0x1122334455667788u);
  }
  EXPECT_EQ(told_.wait_for(3)[1].answered, "kiss of death DENY");
}

TEST_F(NtpServerTest, SaysThatItIsNotSynchronized) {
  start();
  server_->set({.kind = NtpKind::Stratum16, .offset = 5s});
  const auto answer = ask();
  EXPECT_EQ(answer.stratum, 16);
  EXPECT_EQ(answer.leap, 3);
  EXPECT_EQ(ahead(answer), 5s);
  EXPECT_EQ(told_.wait_for(1)[0].answered, "not synchronized; the clock, 5.000 s ahead");
}

TEST_F(NtpServerTest, SilenceIsToldAndNothingComes) {
  start();
  server_->set({.kind = NtpKind::Silence});
  const LoopbackClient client(SOCK_DGRAM, port_);
  client.send(request(3));
  EXPECT_EQ(told_.wait_for(1)[0].fate, NtpFate::Silent);
  server_->set({});
  client.send(request(4));
  EXPECT_EQ(packet_of(client.receive().value_or("")).version, 4) << "the answer to the first would have come before";
  EXPECT_EQ(server_->counts().silent, 1u);
}

TEST_F(NtpServerTest, ADelayHoldsNobodyElseUpAndIsToldTheTruthAbout) {
  start();
  server_->set({.delay = 10s});
  const LoopbackClient client(SOCK_DGRAM, port_);
  client.send(request(3));
  EXPECT_EQ(told_.wait_for(1)[0].fate, NtpFate::Waiting);
  server_->set({});
  client.send(request(4));
  EXPECT_EQ(packet_of(client.receive().value_or("")).version, 4);
  clock_.advance(10s);
  client.send(request(4));  // the clock does not wake it up by itself
  auto late = packet_of(client.receive().value_or(""));
  if (late.version != 3) late = packet_of(client.receive().value_or(""));  // both are due now
  EXPECT_EQ(late.version, 3);
  EXPECT_EQ(late.transmit, NtpTime::of(clock_.utc_now()));
  EXPECT_EQ(late.receive, NtpTime::of(clock_.utc_now() - 10s));
  const auto told = told_.wait_for(4);
  const auto& last = told[2].number == 1 ? told[2] : told[3];
  EXPECT_EQ(last.fate, NtpFate::Answered);
  EXPECT_EQ(last.number, 1u);
  EXPECT_EQ(last.answered_at, clock_.now());
}

TEST_F(NtpServerTest, AnswersThatWaitAreBoundedAndToldAtTheEnd) {
  start({.delayed = 1});
  server_->set({.delay = 1h});
  const LoopbackClient client(SOCK_DGRAM, port_);
  client.send(request());
  client.send(request());
  EXPECT_EQ(told_.wait_for(2)[1].problem, "1 answers wait already");
  server_.reset();
  const auto told = told_.all();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2].fate, NtpFate::Failed);
  EXPECT_EQ(told[2].number, 1u);
}

TEST_F(NtpServerTest, WhatAmplifiesAndWhatIsNoRequestIsNeverAnswered) {
  start();
  const LoopbackClient client(SOCK_DGRAM, port_);
  client.send(std::string("\x17\0\3\x2a\0\0\0\0", 8));  // monlist
  client.send(request(4, NtpMode::Control));
  client.send(request(4, NtpMode::Server));
  client.send(request(4, NtpMode::Broadcast));
  client.send(request(4, NtpMode::Active));
  client.send(request(1));
  client.send(request(7));
  client.send(request().substr(0, 47));
  client.send("");
  client.send(request(3) + std::string(20, 's'));
  const auto answer = client.receive().value_or("");
  EXPECT_EQ(packet_of(answer).version, 3) << "the last one alone";
  EXPECT_EQ(answer.size(), 48u);
  const auto told = told_.wait_for(10);
  EXPECT_EQ(told[0].fate, NtpFate::Control);
  EXPECT_EQ(told[0].problem, "mode private");
  EXPECT_EQ(told[0].excerpt, "1700032a00000000");
  EXPECT_EQ(told[1].fate, NtpFate::Control);
  for (std::size_t i = 2; i < 9; ++i) EXPECT_EQ(told[i].fate, NtpFate::Malformed) << i;
  EXPECT_THAT(told[2].problem, HasSubstr("mode server"));
  EXPECT_EQ(told[5].problem, "version 1");
  EXPECT_EQ(told[7].problem, "47 bytes, which is too short");
  EXPECT_EQ(told[9].size, 68u);
  const auto counts = server_->counts();
  EXPECT_EQ(counts.control, 2u);
  EXPECT_EQ(counts.malformed, 7u);
  EXPECT_EQ(counts.requests, 1u);
  EXPECT_EQ(counts.answered, 1u);
}

TEST_F(NtpServerTest, ARedirectedRequestKeepsItsTarget) {
  start({.original_destination = [](int, const Endpoint&, const Endpoint&) { return Endpoint{IpAddress::of("203.0.113.5"), 123}; }});
  ask();
  EXPECT_EQ(told_.wait_for(1)[0].aimed_at.text(), "203.0.113.5:123");
  EXPECT_TRUE(told_.all()[0].redirected);
}

TEST_F(NtpServerTest, WhatMakesNoSenseIsRefused) {
  start();
  const auto refused = [&](const NtpBehaviour& behaviour) { return std::string(error_of([&] { server_->set(behaviour); }).what()); };
  EXPECT_THAT(refused({.kiss = "rate"}), HasSubstr("NTP server: 'rate' is no kiss of death"));
  EXPECT_THAT(refused({.kiss = "LONGER"}), HasSubstr("is no kiss of death"));
  EXPECT_THAT(refused({.offset = milliseconds(std::chrono::years(10'001))}), HasSubstr("over 10,000 years"));
  EXPECT_THAT(refused({.step = -milliseconds(std::chrono::years(10'001))}), HasSubstr("over 10,000 years"));
  EXPECT_THAT(refused({.delay = 2h}), HasSubstr("its delay"));
  EXPECT_THAT(error_of([&] { NtpServer server(UniqueFd(), told_.listener()); }).what(), HasSubstr("no socket of UDP"));
  EXPECT_EQ(ahead(ask()), 0s) << "nothing was changed";
}

}  // namespace
}  // namespace hilcop::services
