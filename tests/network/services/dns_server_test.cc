// SPDX-License-Identifier: Apache-2.0
// The server over real sockets on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/loopback_socket.h"
#include "fakes/told.h"
#include "network/services/dns_query.h"
#include "network/services/dns_server.h"

namespace hilcop::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Kind = DnsRule::Kind;
using Fate = DnsExchange::Fate;

std::string framed(const std::string& message) {
  return std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())} + message;
}

class DnsServerTest : public testing::Test {
 protected:
  void start(DnsServerOptions options = {}) {
    auto [udp, tcp] = udp_and_tcp();
    port_ = port_of(udp);
    DnsSockets sockets;
    sockets.udp.push_back(std::move(udp));
    sockets.tcp.push_back(std::move(tcp));
    server_.emplace(std::move(sockets), names_, told_.listener(), std::move(options));
  }
  std::string ask(const std::string& name, DnsType type = DnsType::A) const {
    const LoopbackClient client(SOCK_DGRAM, port_);
    client.send(dns_query(name, type));
    return dns_summary(client.receive().value_or(""));
  }
  // One message of a connection that has brought no more than that.
  static std::string message_of(const LoopbackClient& tcp) {
    auto bytes = tcp.receive_all(2);
    if (bytes.size() < 2) return "closed";
    const std::size_t size = 2 + (static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[0])) << 8 | static_cast<std::uint8_t>(bytes[1]));
    if (bytes.size() < size) bytes += tcp.receive_all(size - bytes.size());
    EXPECT_EQ(bytes.size(), size);
    return dns_summary(bytes.substr(2));
  }

  DnsNames names_;
  Told<DnsExchange> told_;
  int port_ = 0;
  std::optional<DnsServer> server_;
};

TEST_F(DnsServerTest, AnswersOverUdpAndTellsWhoAskedWhat) {
  start();
  const auto before = real_clock().now();
  const auto utc_before = real_clock().utc_now();
  const LoopbackClient client(SOCK_DGRAM, port_);
  client.send(dns_query("Cloud.Example.com", DnsType::A, 77));
  const auto bytes = client.receive();
  ASSERT_TRUE(bytes);
  EXPECT_EQ(dns_summary(*bytes), "NOERROR A 198.18.0.1");
  EXPECT_EQ(dns_message(*bytes).id, 77);
  const auto told = told_.wait_for(1).at(0);
  EXPECT_EQ(told.number, 1u);
  EXPECT_EQ(told.id, 77);
  EXPECT_EQ(told.transport, DnsTransport::Udp);
  EXPECT_EQ(told.name, "Cloud.Example.com");
  EXPECT_EQ(told.type, "A");
  EXPECT_EQ(told.answered, "A 198.18.0.1");
  EXPECT_EQ(told.fate, Fate::Answered);
  EXPECT_EQ(told.problem, "");
  EXPECT_EQ(told.client.address.text(), "127.0.0.1");
  EXPECT_EQ(told.aimed_at.text(), "127.0.0.1:" + std::to_string(port_));
  EXPECT_FALSE(told.redirected);
  EXPECT_GE(told.at, before);
  ASSERT_TRUE(told.answered_at);
  EXPECT_GE(*told.answered_at, told.at);
  EXPECT_LE(*told.answered_at, real_clock().now());
  EXPECT_GE(told.utc, utc_before);
  EXPECT_EQ(names_.name_of(IpAddress::of("198.18.0.1")), "cloud.example.com");
  EXPECT_EQ(server_->counts().queries, 1u);
  EXPECT_EQ(server_->counts().answered, 1u);
  EXPECT_FALSE(server_->failure());
}

TEST_F(DnsServerTest, AnswersFromTheAddressThatWasAsked) {
  start();
  const LoopbackClient client(SOCK_DGRAM, port_, "127.0.0.2");  // connected: takes answers from there alone
  client.send(dns_query("a"));
  EXPECT_EQ(dns_summary(client.receive().value_or("")), "NOERROR A 198.18.0.1");
  EXPECT_EQ(told_.wait_for(1)[0].aimed_at.address.text(), "127.0.0.2");
  const LoopbackClient tcp(SOCK_STREAM, port_, "127.0.0.3");
  tcp.send(framed(dns_query("a")));
  EXPECT_EQ(message_of(tcp), "NOERROR A 198.18.0.1");
  EXPECT_EQ(told_.wait_for(2)[1].aimed_at.address.text(), "127.0.0.3");
}

TEST_F(DnsServerTest, ServesIpv6) {
  auto udp = bound_socket(SOCK_DGRAM, ipv6_loopback(0));
  if (!udp) GTEST_SKIP() << "this host has no IPv6";
  const auto port = port_of(*udp);
  DnsSockets sockets;
  sockets.udp.push_back(std::move(*udp));
  DnsServer server(std::move(sockets), names_, told_.listener(), {.ipv6 = true});
  const LoopbackClient client(SOCK_DGRAM, ipv6_loopback(port));
  client.send(dns_query("a", DnsType::Aaaa));
  EXPECT_EQ(dns_summary(client.receive().value_or("")), "NOERROR AAAA fd77:198:18::c612:1");
  EXPECT_EQ(told_.wait_for(1)[0].aimed_at.text(), "[::1]:" + std::to_string(port));
}

TEST_F(DnsServerTest, ARedirectedQueryKeepsItsTarget) {
  const Endpoint resolver{IpAddress::of("8.8.8.8"), 53};
  start({.original_destination = [&](int fd, const Endpoint& client, const Endpoint& local) -> std::optional<Endpoint> {
    EXPECT_GE(fd, 0);
    EXPECT_EQ(client.address.text(), "127.0.0.1");
    return local.address.text() == "127.0.0.1" ? std::optional(resolver) : std::nullopt;
  }});
  ask("a");
  auto told = told_.wait_for(1)[0];
  EXPECT_EQ(told.aimed_at.text(), "8.8.8.8:53");
  EXPECT_TRUE(told.redirected);
  const LoopbackClient other(SOCK_DGRAM, port_, "127.0.0.2");
  other.send(dns_query("b"));
  told = told_.wait_for(2)[1];
  EXPECT_EQ(told.aimed_at.address.text(), "127.0.0.2");
  EXPECT_FALSE(told.redirected);
}

TEST_F(DnsServerTest, RulesChangeWhileItRuns) {
  start();
  EXPECT_EQ(ask("a.example"), "NOERROR A 198.18.0.1");
  server_->rules().set("*.example", {.kind = Kind::NxDomain});
  EXPECT_EQ(ask("a.example"), "NXDOMAIN");
  server_->rules().set("a.example", {.kind = Kind::Spoof, .addresses = {IpAddress::of("203.0.113.1")}});
  EXPECT_EQ(ask("a.example"), "NOERROR A 203.0.113.1");
  EXPECT_EQ(told_.wait_for(3)[2].rule, "spoof for 'a.example'");
  EXPECT_EQ(told_.all()[2].addresses.at(0).text(), "203.0.113.1");
  server_->rules().clear();
  EXPECT_EQ(ask("a.example"), "NOERROR A 198.18.0.1");
}

TEST_F(DnsServerTest, SilenceIsToldAndNothingComes) {
  start();
  server_->rules().set("a", {.kind = Kind::Silence});
  const LoopbackClient client(SOCK_DGRAM, port_);
  client.send(dns_query("a", DnsType::A, 1));
  client.send(dns_query("b", DnsType::A, 2));
  EXPECT_EQ(dns_message(client.receive().value_or("")).id, 2) << "the answer to the first would have come before";
  server_->set_silent(true);
  client.send(dns_query("c", DnsType::A, 3));
  client.send("broken");
  told_.wait_for(4);
  server_->set_silent(false);
  client.send(dns_query("d", DnsType::A, 4));
  EXPECT_EQ(dns_message(client.receive().value_or("")).id, 4);
  const auto told = told_.wait_for(5);
  EXPECT_EQ(told[0].fate, Fate::Silent);
  EXPECT_EQ(told[0].rule, "silence for 'a'");
  EXPECT_EQ(told[2].fate, Fate::Silent);
  EXPECT_EQ(told[2].name, "c");
  EXPECT_EQ(told[2].rule, "silence of the server");
  EXPECT_THAT(told[3].problem, StartsWith("byte "));
  EXPECT_EQ(server_->counts().silent, 3u);
}

TEST_F(DnsServerTest, ADelayHoldsNobodyElseUp) {
  start();
  server_->rules().set("slow", {.delay = 2s});
  const LoopbackClient client(SOCK_DGRAM, port_);
  client.send(dns_query("slow", DnsType::A, 1));
  client.send(dns_query("quick", DnsType::A, 2));
  EXPECT_EQ(dns_message(client.receive().value_or("")).id, 2);
  EXPECT_EQ(dns_message(client.receive().value_or("")).id, 1);
  const auto told = told_.wait_for(3);
  EXPECT_EQ(told[0].fate, Fate::Waiting);
  EXPECT_EQ(told[0].answered, "A 198.18.0.1");
  EXPECT_FALSE(told[0].answered_at);
  EXPECT_EQ(told[1].name, "quick");
  EXPECT_EQ(told[2].fate, Fate::Answered);
  EXPECT_EQ(told[2].number, told[0].number);
  ASSERT_TRUE(told[2].answered_at);
  EXPECT_GE(*told[2].answered_at - told[2].at, 2s);
}

TEST_F(DnsServerTest, AnswersThatWaitAreBoundedAndToldAtTheEnd) {
  start({.delayed = 2});
  server_->rules().set("*", {.delay = 30min});
  const LoopbackClient client(SOCK_DGRAM, port_);
  for (std::uint16_t id = 1; id <= 3; ++id) client.send(dns_query("a", DnsType::A, id));
  auto told = told_.wait_for(3);
  EXPECT_EQ(told[2].fate, Fate::Failed);
  EXPECT_EQ(told[2].problem, "2 answers wait already");
  server_.reset();
  told = told_.all();
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[4].fate, Fate::Failed);
  EXPECT_THAT(told[4].problem, HasSubstr("the server ended before"));
}

TEST_F(DnsServerTest, MalformedQueriesAreCountedAndShown) {
  start();
  const LoopbackClient client(SOCK_DGRAM, port_);
  const auto query = dns_query("a");
  client.send("\xff");
  client.send("");
  client.send(query.substr(0, 14) + std::string(200, '\xcc'));
  const auto answer = client.receive();
  EXPECT_EQ(dns_summary(answer.value_or("")), "FORMERR") << "the first two have no header";
  const auto told = told_.wait_for(3);
  EXPECT_EQ(told[0].excerpt, "ff");
  EXPECT_EQ(told[0].fate, Fate::Silent);
  EXPECT_EQ(told[1].excerpt, "");
  EXPECT_EQ(told[2].excerpt.size(), 128u);
  EXPECT_THAT(told[2].excerpt, StartsWith("1234"));
  EXPECT_EQ(told[2].answered, "FORMERR");
  EXPECT_EQ(server_->counts().malformed, 3u);
  EXPECT_EQ(ask("a"), "NOERROR A 198.18.0.1");
}

TEST_F(DnsServerTest, TruncatedOverUdpIsWholeOverTcp) {
  start();
  server_->rules().set("a", {.kind = Kind::Truncated});
  EXPECT_EQ(ask("a"), "NOERROR truncated");
  const LoopbackClient tcp(SOCK_STREAM, port_);
  tcp.send(framed(dns_query("a")));
  EXPECT_EQ(message_of(tcp), "NOERROR A 198.18.0.1");
  EXPECT_EQ(told_.wait_for(2)[1].transport, DnsTransport::Tcp);
}

TEST_F(DnsServerTest, TcpInAnyPieces) {
  start();
  const LoopbackClient tcp(SOCK_STREAM, port_);
  const auto one = framed(dns_query("a", DnsType::A, 1)), two = framed(dns_query("b", DnsType::A, 2));
  for (const char byte : one) tcp.send({&byte, 1});
  EXPECT_EQ(message_of(tcp), "NOERROR A 198.18.0.1");
  tcp.send(one + two + two.substr(0, 5));
  const auto size = 2 * (one.size() + 16);
  EXPECT_EQ(tcp.receive_all(size).size(), size);
  tcp.send(two.substr(5));
  EXPECT_EQ(message_of(tcp), "NOERROR A 198.18.0.2");
  ::shutdown(tcp.fd(), SHUT_WR);
  EXPECT_EQ(tcp.receive(), "") << "closed by the server too";
  EXPECT_EQ(server_->counts().connections, 1u);
  EXPECT_EQ(server_->counts().malformed, 0u);
}

TEST_F(DnsServerTest, WhoHasSaidAllStillGetsADelayedAnswer) {
  start();
  server_->rules().set("slow", {.delay = 50ms});
  const LoopbackClient tcp(SOCK_STREAM, port_);
  tcp.send(framed(dns_query("slow")));
  ::shutdown(tcp.fd(), SHUT_WR);
  EXPECT_EQ(message_of(tcp), "NOERROR A 198.18.0.1");
  EXPECT_EQ(tcp.receive(), "");
  server_->rules().set("slow", {.delay = 2s});
  {
    const LoopbackClient gone(SOCK_STREAM, port_);
    gone.send(framed(dns_query("slow")));
    told_.wait_for(3);
    const linger at_once{1, 0};
    ::setsockopt(gone.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  const auto told = told_.wait_for(4);
  EXPECT_EQ(told[3].fate, Fate::Failed);
  EXPECT_THAT(told[3].problem, HasSubstr("the connection was closed"));
}

TEST_F(DnsServerTest, ConnectionsAreBoundedInNumberAndTime) {
  start({.connections = 2, .patience = 2s});
  const LoopbackClient first(SOCK_STREAM, port_), second(SOCK_STREAM, port_);
  second.send(framed(dns_query("a")).substr(0, 7));
  first.send(framed(dns_query("a")));
  EXPECT_EQ(message_of(first), "NOERROR A 198.18.0.1");
  const LoopbackClient third(SOCK_STREAM, port_);
  EXPECT_EQ(third.receive(), "") << "one too many";
  EXPECT_EQ(first.receive(), "") << "idle";
  EXPECT_EQ(second.receive(), "") << "never finished";
  const auto told = told_.wait_for(2);
  EXPECT_EQ(told[1].problem, "a connection that ended after 7 bytes of a message");
  EXPECT_EQ(told[1].excerpt.size(), 14u);
  EXPECT_EQ(server_->counts().refused_connections, 1u);
  const LoopbackClient fourth(SOCK_STREAM, port_);
  fourth.send(framed(dns_query("a")));
  EXPECT_EQ(message_of(fourth), "NOERROR A 198.18.0.1") << "there is room again";
}

TEST_F(DnsServerTest, WhoTakesNoAnswersIsNotReadForEver) {
  start({.patience = 500ms});
  server_->rules().set("a", {.records = {txt_record(DnsName::of("a"), 1, std::string(30'000, 't'))}});
  const LoopbackClient tcp(SOCK_STREAM, port_);
  const auto query = framed(dns_query("a", DnsType::Txt));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += query;  // 30 MB of answers
  std::size_t sent = 0;
  while (sent < 10 * many.size()) {
    pollfd entry{tcp.fd(), POLLOUT, 0};
    if (::poll(&entry, 1, 20'000) != 1 || (entry.revents & (POLLERR | POLLHUP)) != 0) break;
    const auto n = ::send(tcp.fd(), many.data(), many.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) break;
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  EXPECT_LT(server_->counts().answered, 10'000u) << "it did not go on without end";
  EXPECT_EQ(ask("b"), "NOERROR A 198.18.0.1");
}

TEST_F(DnsServerTest, OthersMayChangeRulesWhileManyAsk) {
  start();
  std::atomic<bool> over{false};
  std::thread changer([&] {
    while (!over) {
      server_->rules().set("*.example", {.kind = Kind::NxDomain});
      server_->set_silent(false);
      server_->rules().remove("*.example");
      (void)server_->counts();
    }
  });
  const LoopbackClient client(SOCK_DGRAM, port_);
  for (std::uint16_t id = 0; id < 500; ++id) {
    client.send(dns_query("n" + std::to_string(id) + ".example", DnsType::A, id));
    EXPECT_EQ(dns_message(client.receive().value_or("")).id, id);
  }
  over = true;
  changer.join();
  const auto told = told_.wait_for(500);
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i].number, i + 1);
}

TEST_F(DnsServerTest, AListenerThatIsGoneIsSaidAndTheRestIsServed) {
  auto [udp, tcp] = udp_and_tcp();
  port_ = port_of(udp);
  const UniqueFd same(::dup(tcp.get()));
  DnsSockets sockets;
  sockets.udp.push_back(std::move(udp));
  sockets.tcp.push_back(std::move(tcp));
  server_.emplace(std::move(sockets), names_, told_.listener());
  EXPECT_EQ(ask("a"), "NOERROR A 198.18.0.1");
  EXPECT_FALSE(server_->failure());
  ::shutdown(same.get(), SHUT_RDWR);
  const auto deadline = Deadline::in(20s);
  while (!server_->failure() && !deadline.expired()) wait_until(deadline.at_most(1ms));
  ASSERT_TRUE(server_->failure());
  EXPECT_THAT(server_->failure()->what(), HasSubstr("DNS server: takes no connection any more"));
  EXPECT_EQ(ask("a"), "NOERROR A 198.18.0.1");
}

TEST_F(DnsServerTest, WhatItCannotServeIsRefused) {
  const auto refused = [&](UniqueFd fd, bool udp) {
    DnsSockets sockets;
    (udp ? sockets.udp : sockets.tcp).push_back(std::move(fd));
    return error_of([&] { DnsServer server(std::move(sockets), names_, told_.listener()); });
  };
  EXPECT_THAT(refused(UniqueFd(), true).what(), HasSubstr("DNS server: was given what is no socket of UDP"));
  EXPECT_THAT(refused(std::move(*bound_socket(SOCK_STREAM, ipv4_address("127.0.0.1", 0))), true).what(), HasSubstr("no socket of UDP"));
  EXPECT_THAT(refused(UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), true).what(), HasSubstr("without a port"));
  EXPECT_THAT(refused(UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), false).what(), HasSubstr("that does not listen"));
}

}  // namespace
}  // namespace hilcop::services
