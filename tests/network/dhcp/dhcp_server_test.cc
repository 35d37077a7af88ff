// SPDX-License-Identifier: Apache-2.0
// The DHCP server on a socket of loopback; what it sends comes back over another one.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>

#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "network/dhcp/dhcp_client.h"
#include "network/dhcp/dhcp_server.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

struct LoopbackSocket {
  UniqueFd fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};

  LoopbackSocket() {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  }
};

class DhcpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    LoopbackSocket socket;
    server_at_ = socket.address;
    server_.emplace(
        std::move(socket.fd), dhcp_network_of_test(), [this](const DhcpReport& report) { keep(report); }, real_clock(), "DHCP of dut 'a'",
        [this](std::string_view packet, const DhcpDestination& to) {
          if (unreachable_) return DhcpSent{"address", "no route"};
          const auto& client = client_socket_.address;
          ::sendto(client_socket_.fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&client), sizeof client);
          return DhcpSent{to.hardware.empty() ? "broadcast" : "hardware", ""};
        });
  }
  void keep(const DhcpReport& report) {
    const std::scoped_lock lock(mutex_);
    told_.push_back(report);
    changed_.notify_all();
  }
  void say(std::string_view packet) const {
    const auto sent = ::sendto(client_socket_.fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&server_at_),
                               sizeof server_at_);
    EXPECT_EQ(sent, static_cast<ssize_t>(packet.size()));
  }
  void say(const DhcpMessage& message) const { say(dhcp_packet(message, 4000)); }
  std::optional<DhcpMessage> hear(Deadline deadline = Deadline::in(20s)) const {
    if (!wait_ready(client_socket_.fd.get(), POLLIN, deadline)) return std::nullopt;
    std::string packet(4096, '\0');
    packet.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(client_socket_.fd.get(), packet.data(), packet.size(), 0))));
    const auto read = read_dhcp(packet);
    EXPECT_EQ(read.fault, "");
    return read.message;
  }
  std::vector<DhcpReport> told(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return told_.size() >= count; })) << told_.size();
    return told_;
  }
  void fault(const std::function<void(DhcpFaults&)>& change) {
    DhcpFaults faults;
    change(faults);
    server_->set_faults(faults);
  }

  LoopbackSocket client_socket_;
  sockaddr_in server_at_{};
  std::atomic<bool> unreachable_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<DhcpReport> told_;
  std::optional<DhcpServer> server_;
  DhcpClient client_;
};

TEST_F(DhcpServerTest, AnswersAndTellsWhatWasSaidAndAnswered) {
  auto asked = client_.discover();
  asked.add(dhcp_option::kHostName, "ht1\x1b");
  asked.add(dhcp_option::kVendorClass, "udhcp 1.35.0");
  asked.add(dhcp_option::kParameters, "\x01\x03\x06");
  const auto before = real_clock().now();
  say(asked);
  const auto offer = hear();
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->kind(), DhcpKind::Offer);
  say(client_.select(offer->yours, offer->address(dhcp_option::kServer).value_or(Ipv4{})));
  const auto ack = hear();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->kind(), DhcpKind::Ack);
  const auto reports = told(2);
  const auto& first = reports[0];
  EXPECT_GE(first.steady, before);
  EXPECT_GE(first.answered, first.steady);
  EXPECT_EQ(first.source.text(), "127.0.0.1");
  ASSERT_THAT(first.answers, SizeIs(1));
  EXPECT_EQ(first.answers[0].message.yours, offer->yours);
  EXPECT_EQ(first.answers[0].way, "hardware");
  const auto json = to_json(first);
  EXPECT_EQ(json.at("kind"), "DISCOVER");
  EXPECT_EQ(json.at("mac"), "02:00:00:00:00:01");
  EXPECT_EQ(json.at("host_name"), "ht1\\x1b");
  EXPECT_EQ(json.at("vendor_class"), "udhcp 1.35.0");
  EXPECT_THAT(json.at("parameters"), ElementsAre(1, 3, 6));
  EXPECT_EQ(json.at("options").at(0).dump(), R"({"code":53,"hex":"01"})");
  EXPECT_EQ(json.at("answers").at(0).at("kind"), "OFFER");
  EXPECT_EQ(json.at("answers").at(0).at("your_address"), offer->yours.text());
  EXPECT_EQ(to_json(reports[1]).at("situation"), "selecting");
  EXPECT_EQ(server_->counts().received, 2u);
  EXPECT_EQ(server_->counts().replies, 2u);
  EXPECT_FALSE(server_->failure());
}

TEST_F(DhcpServerTest, MalformedMessagesAreCountedAndToldAndDisturbNobody) {
  const auto packet = dhcp_packet(client_.discover());
  say(packet.substr(0, 100));
  say(std::string_view(""));
  say(packet.substr(0, 240) + "\x35");
  say(std::string(5000, 'x'));
  const auto reports = told(4);
  EXPECT_EQ(reports[0].malformed, "100 bytes; the head of a message has 240");
  EXPECT_EQ(reports[0].message.hardware_text(), "02:00:00:00:00:01");
  EXPECT_EQ(reports[0].excerpt.substr(0, 16),
            "0101060039"
            "03f326");
  EXPECT_THAT(reports[0].excerpt, SizeIs(128));
  EXPECT_EQ(reports[1].size, 0u);
  EXPECT_EQ(reports[2].malformed, "option 53 goes beyond the end of the packet");
  EXPECT_EQ(reports[3].malformed, "5000 bytes; at most 4096 are read");
  EXPECT_EQ(reports[3].size, 5000u);
  for (const auto& report : reports) EXPECT_EQ(to_json(report).at("malformed"), report.malformed);
  EXPECT_EQ(server_->counts().malformed, 4u);
  EXPECT_EQ(server_->counts().replies, 0u);
  say(client_.discover());
  EXPECT_TRUE(hear());
}

TEST_F(DhcpServerTest, FaultsChangeWhileItRuns) {
  say(client_.discover());
  ASSERT_TRUE(hear()) << "the control";
  fault([](DhcpFaults& faults) { faults.no_answer = true; });
  say(client_.discover());
  EXPECT_THAT(told(2)[1].faults, ElementsAre("no_answer"));
  EXPECT_TRUE(server_->faults().no_answer);
  fault([](DhcpFaults& faults) { faults.no_gateway = true; });
  say(client_.discover());
  const auto offer = hear();
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->option(dhcp_option::kRouters), std::nullopt);
  EXPECT_THAT(told(3)[2].faults, ElementsAre("no_gateway"));
  EXPECT_EQ(error_of([&] { fault([](DhcpFaults& faults) { faults.slow = -1ms; }); }).kind(), ErrorKind::Config);
  EXPECT_TRUE(server_->faults().no_gateway) << "nothing is changed";
}

TEST_F(DhcpServerTest, SlowAnswersComeThatMuchLaterInTheirOrder) {
  fault([](DhcpFaults& faults) { faults.slow = 150ms; });
  const auto begin = real_clock().now();
  say(client_.discover());
  say(DhcpClient::numbered(2).discover());
  const auto first = hear(), second = hear();
  EXPECT_GE(real_clock().now() - begin, 150ms);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->hardware, client_.hardware);
  EXPECT_EQ(second->hardware, DhcpClient::numbered(2).hardware);
  const auto reports = told(2);
  EXPECT_THAT(reports[0].faults, ElementsAre("slow"));
  EXPECT_GE(reports[0].answered - reports[0].steady, 150ms);
}

TEST_F(DhcpServerTest, WhatWaitsToBeLateIsBoundedAndToldInTheEnd) {
  fault([](DhcpFaults& faults) { faults.slow = DhcpFaults::kSlowest; });
  const auto all = DhcpServer::kMostWaiting + 20;
  for (unsigned i = 0; i < all; ++i) {
    say(DhcpClient::numbered(i % 10).discover());
    if (i % 50 == 49)
      while (server_->counts().received < i + 1) wait_until(Deadline::in(1ms));
  }
  const auto too_many = told(20);
  EXPECT_THAT(too_many, SizeIs(20));
  EXPECT_EQ(too_many[0].reason, "too many answers are waiting to be late");
  server_.reset();
  const auto reports = told(all);
  EXPECT_THAT(reports, SizeIs(all));
  EXPECT_THAT(reports.back().reason, HasSubstr("has ended before"));
  EXPECT_FALSE(hear(Deadline::in(0ms))) << "nobody was answered";
}

TEST_F(DhcpServerTest, AFloodIsAnsweredAndItsCallerMayChangeFaultsMeanwhile) {
  for (unsigned i = 0; i < 2000; ++i) {
    say(DhcpClient::numbered(i).discover());
    if (i % 100 == 50) fault([&](DhcpFaults& faults) { faults.no_dns = i % 200 == 50; });
    ASSERT_TRUE(hear()) << i;
  }
  told(2000);
  EXPECT_EQ(server_->counts().received, 2000u);
  EXPECT_EQ(server_->counts().replies, 2000u);
}

TEST_F(DhcpServerTest, WhatCannotBeSentIsToldAsThat) {
  unreachable_ = true;
  say(client_.discover());
  const auto report = told(1)[0];
  ASSERT_THAT(report.answers, SizeIs(1));
  EXPECT_EQ(report.answers[0].failure, "no route");
  EXPECT_EQ(to_json(report).at("answers").at(0).at("failure"), "no route");
  EXPECT_EQ(server_->counts().not_sent, 1u);
}

TEST_F(DhcpServerTest, WhatIsNoSocketIsRefused) {
  const auto open = [](int fd) { DhcpServer server(UniqueFd(fd), dhcp_network_of_test(), {}); };
  EXPECT_THAT(error_of([&] { open(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }).what(), HasSubstr("no UDP socket of IPv4"));
  EXPECT_THAT(error_of([&] { open(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }).what(), HasSubstr("no UDP socket of IPv4"));
  EXPECT_THAT(error_of([&] { open(-1); }).what(), HasSubstr("no UDP socket of IPv4"));
}

}  // namespace
}  // namespace hilcop
