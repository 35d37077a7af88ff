// SPDX-License-Identifier: Apache-2.0
#include "network/scan/udp_scan.h"

#include <poll.h>

#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "network/port/tap.h"
#include "network/scan/own_host.h"

namespace hilcop {
namespace {

/// Answers each datagram at `port`, from the socket at `from`, until it is gone.
class Responder {
 public:
  Responder(UniqueFd port, UniqueFd from, std::string answer, int deaf_to = 0)
      : port_(std::move(port)), from_(std::move(from)), thread_([this, answer = std::move(answer), deaf_to](const std::stop_token& stop) {
          for (int heard = 0; !stop.stop_requested();) {
            pollfd ready{port_.get(), POLLIN, 0};
            if (::poll(&ready, 1, 20) != 1) continue;
            SocketAddress whom;
            whom.size = sizeof whom.storage;
            char bytes[2048];
            ::recvfrom(port_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&whom.storage), &whom.size);
            if (++heard > deaf_to) ::sendto(from_ ? from_.get() : port_.get(), answer.data(), answer.size(), 0, whom.get(), whom.size);
          }
        }) {}

 private:
  UniqueFd port_, from_;
  std::jthread thread_;
};

class UdpScanTest : public OwnHost {
 protected:
  static UdpScanOptions of(std::vector<UdpPayload> payloads) {
    UdpScanOptions options;
    options.address = "127.0.0.1";
    options.payloads = std::move(payloads);
    options.answer_within = 300ms;
    return options;
  }
};

TEST_F(UdpScanTest, AnAnswerAloneIsAService) {
  const Responder dns(bound("127.0.0.1", 53, SOCK_DGRAM), UniqueFd(), "an answer");
  const auto silent = bound("127.0.0.1", 161, SOCK_DGRAM);
  const auto result = scan_udp(of({{"dns", 53, "a"}, {"snmp", 161, "b"}, {"ntp", 123, "c"}}), Deadline::in(20s));
  ASSERT_EQ(result.ports.size(), 3U);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.ports[0].state, UdpState::Answered);
  EXPECT_EQ(result.ports[0].answer, "an answer");
  EXPECT_EQ(result.ports[0].size, 9U);
  EXPECT_EQ(result.ports[0].from_port, 53);
  EXPECT_EQ(result.ports[1].state, UdpState::Silent) << "which is not closed";
  EXPECT_EQ(result.ports[2].state, UdpState::Closed) << "ICMP says so";
}

TEST_F(UdpScanTest, AnAnswerFromAnotherPortCountsFromAnotherAddressNot) {
  const Responder tftp(bound("127.0.0.1", 69, SOCK_DGRAM), bound("127.0.0.1", 40069, SOCK_DGRAM), "file not found");
  const Responder liar(bound("127.0.0.1", 70, SOCK_DGRAM), bound("127.0.0.2", 70, SOCK_DGRAM), "from somebody else");
  const auto result = scan_udp(of({{"tftp", 69, "a"}, {"liar", 70, "b"}}), Deadline::in(20s));
  EXPECT_EQ(result.ports[0].state, UdpState::Answered);
  EXPECT_EQ(result.ports[0].from_port, 40069);
  EXPECT_EQ(result.ports[1].state, UdpState::Silent);
}

TEST_F(UdpScanTest, WhoMissedTheFirstTwoIsAskedAThirdTime) {
  const Responder slow(bound("127.0.0.1", 53, SOCK_DGRAM), UniqueFd(), "late", 2);
  auto options = of({{"dns", 53, "a"}});
  options.answer_within = 2s;
  EXPECT_EQ(scan_udp(options, Deadline::in(20s)).ports[0].state, UdpState::Answered);
}

TEST_F(UdpScanTest, OfIpv6Too) {
  const Responder dns(bound("::1", 53, SOCK_DGRAM), UniqueFd(), "an answer");
  auto options = of({{"dns", 53, "a"}, {"ntp", 123, "c"}});
  options.address = "::1";
  const auto result = scan_udp(options, Deadline::in(20s));
  EXPECT_EQ(result.ports[0].state, UdpState::Answered);
  EXPECT_EQ(result.ports[1].state, UdpState::Closed);
}

TEST_F(UdpScanTest, ALongAnswerIsKeptInPartAndMeasuredWhole) {
  const Responder loud(bound("127.0.0.1", 53, SOCK_DGRAM), UniqueFd(), std::string(9000, 'a'));
  const auto port = scan_udp(of({{"dns", 53, "a"}}), Deadline::in(20s)).ports[0];
  EXPECT_EQ(port.size, 9000U);
  EXPECT_EQ(port.answer.size(), UdpPort::kMostKept);
}

TEST_F(UdpScanTest, WhereNobodyIsNothingWasAsked) {
  const auto tap = make_tap("nobody");
  links_.set_up("nobody", true);
  links_.add_address("nobody", "10.98.0.1/24");
  auto options = of({{"dns", 53, "a"}});
  options.address = "10.99.0.1";  // no route
  EXPECT_FALSE(scan_udp(options, Deadline::in(20s)).complete) << "no question left this host";
  options.address = "10.98.0.2";
  options.answer_within = 2s;  // three ARP requests, a second each
  const auto nobody = scan_udp(options, Deadline::in(30s));
  EXPECT_FALSE(nobody.complete) << "nobody answers ARP";
  EXPECT_EQ(nobody.ports[0].state, UdpState::Silent);
}

TEST_F(UdpScanTest, AtItsDeadlineItIsNotComplete) {
  const auto silent = bound("127.0.0.1", 161, SOCK_DGRAM);
  auto options = of({{"snmp", 161, "b"}});
  options.answer_within = 20s;
  const auto result = scan_udp(options, Deadline::in(300ms));
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.ports[0].state, UdpState::Silent);
}

TEST_F(UdpScanTest, WhatMakesNoSenseIsRefused) {
  const auto refused = [](const std::vector<UdpPayload>& payloads) {
    return error_of([&] { scan_udp(of(payloads), Deadline::in(5s)); }).kind();
  };
  EXPECT_EQ(refused({}), ErrorKind::Config);
  EXPECT_EQ(refused({{"a", 0, "a"}}), ErrorKind::Config);
  EXPECT_EQ(refused({{"a", 7, ""}}), ErrorKind::Config);
  EXPECT_EQ(refused({{"a", 7, std::string(1401, 'a')}}), ErrorKind::Config);
}

TEST(UdpPayloads, FitIntoOneFrameAndHaveOneNameEach) {
  std::set<std::string> names;
  for (const auto& payload : udp_payloads()) {
    EXPECT_TRUE(names.insert(payload.service).second) << payload.service;
    EXPECT_LE(payload.bytes.size(), 1400U) << payload.service;
  }
  EXPECT_GE(names.size(), 20U);
}

}  // namespace
}  // namespace hilcop
