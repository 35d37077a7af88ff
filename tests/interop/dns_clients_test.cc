// SPDX-License-Identifier: Apache-2.0
// BIND's dig as a client of our name server: it reads every answer by a codec of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/interrupt.h"
#include "fakes/loopback_socket.h"
#include "fakes/told.h"
#include "io/child_process.h"
#include "network/services/dns_records.h"
#include "network/services/dns_server.h"

namespace hilcop::services {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = DnsRule::Kind;

class DigTest : public testing::Test {
 protected:
  void SetUp() override {
    auto [udp, tcp] = udp_and_tcp();
    port_ = port_of(udp);
    DnsSockets sockets;
    sockets.udp.push_back(std::move(udp));
    sockets.tcp.push_back(std::move(tcp));
    server_.emplace(std::move(sockets), names_, told_.listener(), DnsServerOptions{.ipv6 = true});
  }
  // What it prints, and how it ends.
  std::string dig(std::vector<std::string> arguments, int code = 0) const {
    ProcessOptions options;
    options.program = "dig";
    options.arguments = {"-r", "@127.0.0.1", "-p", std::to_string(port_), "+tries=1", "+time=10"};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.capture_output = true;
    const auto result = run_process(options, Deadline::in(60s));
    EXPECT_EQ(result.status.code, code) << result.output;
    return result.output;
  }
  /// Whether the last that it told is such a one: it answers first and tells afterwards.
  bool comes_to_tell(const std::function<bool(const DnsExchange&)>& is_so) {
    const auto deadline = Deadline::in(20s);
    for (auto told = told_.all(); !deadline.expired(); told = told_.all()) {
      if (!told.empty() && is_so(told.back())) return true;
      wait_until(deadline.at_most(5ms));
    }
    return false;
  }
  DnsNames names_;
  Told<DnsExchange> told_;
  int port_ = 0;
  std::optional<DnsServer> server_;
};

TEST_F(DigTest, ReadsEveryKindOfRecord) {
  const auto name = DnsName::of("all.example");
  server_->rules().set("all.example", {.records = {txt_record(name, 5, "two words"), srv_record(name, 5, DnsName::of("mqtt.example"), 8883),
                                                   https_record(name, 5, DnsName(), {"h2", "http/1.1"})}});
  server_->rules().set("alias.example", {.records = {name_record(name, DnsType::Cname, 5, DnsName::of("target.example"))}});
  const auto whole = dig({"Www.Example", "A"});
  EXPECT_THAT(whole, HasSubstr("status: NOERROR"));
  EXPECT_THAT(whole, HasSubstr("flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1"));
  EXPECT_THAT(whole, HasSubstr("Www.Example.\t\t30\tIN\tA\t198.18.0.1"));
  for (const char* wrong : {"WARNING", "Warning", "malformed", "warning"}) EXPECT_THAT(whole, Not(HasSubstr(wrong)));
  EXPECT_EQ(dig({"+short", "www.example", "AAAA"}), "fd77:198:18::c612:1\n");
  EXPECT_EQ(dig({"+short", "-x", "198.18.0.1"}), "www.example.\n");
  EXPECT_EQ(dig({"+short", "-x", "fd77:198:18::c612:1"}), "www.example.\n");
  EXPECT_EQ(dig({"+short", "all.example", "TXT"}), "\"two words\"\n");
  EXPECT_EQ(dig({"+short", "all.example", "SRV"}), "0 0 8883 mqtt.example.\n");
  EXPECT_EQ(dig({"+short", "all.example", "HTTPS"}), "1 . alpn=\"h2,http/1.1\"\n");
  EXPECT_EQ(dig({"+short", "alias.example", "A"}), "target.example.\n198.18.0.2\n");
  EXPECT_THAT(dig({"www.example", "MX"}), HasSubstr("IN\tSOA\tns.hilcop.invalid. bench.hilcop.invalid. 1 3600 600 86400 30"));
}

TEST_F(DigTest, IsToldWhatTheRulesSay) {
  server_->rules().set("gone.example", {.kind = Kind::NxDomain});
  server_->rules().set("fail.example", {.kind = Kind::ServFail});
  server_->rules().set("no.example", {.kind = Kind::Refused});
  server_->rules().set("wait.example", {.delay = 700ms});
  server_->rules().set("tc.example", {.kind = Kind::Truncated});
  EXPECT_THAT(dig({"gone.example"}), HasSubstr("status: NXDOMAIN"));
  EXPECT_THAT(dig({"fail.example"}), HasSubstr("status: SERVFAIL"));
  EXPECT_THAT(dig({"no.example"}), HasSubstr("status: REFUSED"));
  const auto before = real_clock().now();
  EXPECT_THAT(dig({"wait.example"}), HasSubstr("198.18.0.1"));
  EXPECT_GE(real_clock().now() - before, 700ms);
  EXPECT_THAT(dig({"+ignore", "tc.example"}), HasSubstr("flags: qr aa tc rd ra"));
  EXPECT_EQ(dig({"+short", "tc.example"}), "198.18.0.2\n") << "over TCP";
  EXPECT_TRUE(comes_to_tell([](const DnsExchange& last) { return last.transport == DnsTransport::Tcp; }));
  EXPECT_EQ(dig({"+short", "+tcp", "+keepopen", "a.example", "@127.0.0.1", "b.example"}), "198.18.0.3\n198.18.0.4\n");
  EXPECT_EQ(server_->counts().malformed, 0u);
}

TEST_F(DigTest, DoesNotTakeBrokenAnswers) {
  server_->rules().set("id.example", {.kind = Kind::WrongId});
  server_->rules().set("loop.example", {.kind = Kind::CompressionLoop});
  server_->rules().set("silent.example", {.kind = Kind::Silence});
  EXPECT_THAT(dig({"+time=1", "id.example"}, 9), HasSubstr("ID mismatch"));
  EXPECT_THAT(dig({"+time=1", "silent.example"}, 9), HasSubstr("timed out"));
  EXPECT_THAT(dig({"loop.example"}), HasSubstr("bad compression pointer"));
  EXPECT_TRUE(comes_to_tell([](const DnsExchange& last) { return last.answered == "a name that points to itself"; }));
}

TEST_F(DigTest, SeesThatWeKnowEdns) {
  EXPECT_THAT(dig({"+edns=1", "+noednsneg", "a.example"}), HasSubstr("status: BADVERS"));
  EXPECT_THAT(dig({"+dnssec", "+cookie", "+subnet=10.0.0.0/8", "a.example"}), HasSubstr("EDNS: version: 0, flags: do; udp: 1232"));
  EXPECT_THAT(dig({"+noedns", "a.example"}), HasSubstr("ADDITIONAL: 0"));
  EXPECT_THAT(dig({"+opcode=update", "a.example"}), HasSubstr("status: NOTIMP"));
  EXPECT_THAT(dig({"-c", "CH", "version.bind", "TXT"}), HasSubstr("status: REFUSED"));
}

}  // namespace
}  // namespace hilcop::services
