// SPDX-License-Identifier: Apache-2.0
// Clients that mean no good: each is counted and told, none holds up another, and none is called sound.
#include "network/intercept/interceptor_fixture.h"

namespace hilcop {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class HostileClientTest : public InterceptorTest {
 protected:
  /// For those whom only its limits end. The control after them has to keep within these, too.
  static InterceptOptions impatient() {
    InterceptOptions options;
    options.handshake = options.first_data = options.more_data = 2s;
    return options;
  }
  // After whatever came before.
  void expect_that_it_still_serves() {
    TestClient client(port_, "control.example");
    ASSERT_TRUE(client.shake_hands());
    ASSERT_TRUE(client.send("still there"));
    client.close();
    const auto connection = interceptor_->wait_for({"control.example", "", 0}, Deadline::in(20s));
    EXPECT_EQ(connection.outcome, SentApplicationData) << connection.cause;
    const auto counts = interceptor_->counts();
    EXPECT_EQ(counts.accepted, counts.ended);
  }
};

TEST_F(HostileClientTest, WhatIsNoTlsIsToldWithItsBytes) {
  serve();
  for (const auto& bytes :
       {std::string("\xde\xad\xbe\xef garbage"), std::string("GET /?key=secret HTTP/1.1\r\n\r\n"), std::string(1, '\0')}) {
    TestClient client(port_);
    ASSERT_TRUE(client.send_plain(bytes));
    ::shutdown(client.fd(), SHUT_WR);
    const auto connection = next();
    EXPECT_EQ(connection.outcome, NotTls) << connection.cause;
    EXPECT_EQ(connection.data, bytes);
    EXPECT_FALSE(connection.encrypted);
    EXPECT_FALSE(connection.given) << "it had no turn of the plan";
  }
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, OneByteAtATimeIsWaitedFor) {
  InterceptOptions options;
  options.handshake = 20s;
  serve(options);
  TestClient client(port_);
  for (const char byte : client.hello()) ASSERT_TRUE(client.send_plain(std::string(1, byte)));
  EXPECT_EQ(client.receive_plain().substr(0, 2), "\x16\x03") << "a ServerHello";
  client.send_plain(std::string("\x15\x03\x03\0\2\2\x2a", 7));
  client.close();
  const auto connection = next();
  EXPECT_EQ(connection.outcome, RefusedInHandshake) << connection.cause;
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, WhoNeverFinishesIsCutAndNotJudged) {
  serve(impatient());
  TestClient nothing(port_);
  EXPECT_EQ(next().outcome, NotJudged);
  TestClient half(port_);
  ASSERT_TRUE(half.send_plain(half.hello().substr(0, 50)));
  EXPECT_EQ(next().outcome, NotJudged);
  TestClient stalls(port_);
  ASSERT_TRUE(stalls.send_plain(stalls.hello()));
  const auto stalled = next();
  EXPECT_EQ(stalled.outcome, NotJudged) << stalled.cause;
  EXPECT_TRUE(stalled.flaw_shown);
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, WhoGoesBeforeTheFlawWasThereHasNotRefusedIt) {
  serve();
  interceptor_->plan().set({"cloud.example", "", 0}, {Expired});
  TestClient(port_).close();
  EXPECT_EQ(next().outcome, NotJudged);
  TestClient resets(port_);
  resets.reset();
  EXPECT_EQ(next().outcome, NotJudged);
  TestClient half(port_);
  ASSERT_TRUE(half.send_plain(half.hello().substr(0, 50)));
  ::shutdown(half.fd(), SHUT_WR);
  EXPECT_EQ(next().outcome, NotJudged);
  TestClient quick(port_);
  quick.hear_nothing();  // else its kernel may have taken the certificate before it goes
  ASSERT_TRUE(quick.send_plain(quick.hello()));
  quick.reset();
  const auto connection = next();
  EXPECT_EQ(connection.outcome, NotJudged) << connection.cause;
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, AHalfClosedConnectionEnds) {
  serve();
  TestClient half(port_);
  ASSERT_TRUE(half.send_plain(half.hello()));
  ::shutdown(half.fd(), SHUT_WR);
  EXPECT_THAT(next().outcome, AnyOf(RefusedInHandshake, NotJudged));
  TestClient after(port_);
  ASSERT_TRUE(after.shake_hands());
  ASSERT_TRUE(after.send("all of it"));
  ::shutdown(after.fd(), SHUT_WR);
  const auto connection = next();
  EXPECT_EQ(connection.outcome, SentApplicationData) << connection.cause;
  EXPECT_EQ(connection.data, "all of it");
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, AGiantHelloIsCut) {
  serve();
  TestClient client(port_);
  const std::string record = std::string("\x16\x03\x01\x40\0", 5) + std::string("\1\xff\xff\xff", 4) + std::string(16380, 'x');
  client.send_plain(record);
  const auto connection = next();
  EXPECT_EQ(connection.outcome, NotJudged);
  EXPECT_THAT(connection.cause, HasSubstr("longer than 64 KiB"));
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, ALieInTheHandshakeIsNoRefusal) {
  serve();
  interceptor_->plan().set({"cloud.example", "", 0}, {SelfSigned});
  TestClient client(port_);
  ASSERT_TRUE(client.send_plain(client.hello()));
  client.receive_plain();
  ASSERT_TRUE(client.send_plain(std::string("\x17\x03\x03\0\x20", 5) + std::string(32, 'z')));
  const auto connection = next();
  EXPECT_EQ(connection.outcome, NotJudged) << connection.cause;
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, DataWithoutEndIsKeptUpToItsLimit) {
  serve();
  TestClient client(port_);
  ASSERT_TRUE(client.shake_hands());
  for (int i = 0; i < 1000 && client.send(std::string(4096, 'd')); ++i) {
  }
  const auto connection = next();
  EXPECT_EQ(connection.outcome, SentApplicationData);
  EXPECT_EQ(connection.data, std::string(64 * 1024, 'd'));
  EXPECT_TRUE(connection.data_cut);
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, AFloodIsBoundedAndEveryOneOfItIsCounted) {
  auto options = impatient();
  options.most_connections = 50;
  serve(options);
  {
    std::vector<UniqueFd> flood;
    for (int i = 0; i < 500; ++i) flood.push_back(connected_to_loopback(port_));
    for (int i = 0; i < 500; ++i) EXPECT_EQ(next().outcome, NotJudged);
  }
  const auto counts = interceptor_->counts();
  EXPECT_EQ(counts.accepted, 500u);
  EXPECT_EQ(counts.ended, 500u);
  EXPECT_GT(counts.turned_away, 0u);
  EXPECT_EQ(told().size(), 500u);
  expect_that_it_still_serves();
}

TEST_F(HostileClientTest, NamesThatAreMadeUpAreServedOneByOne) {
  serve();
  for (int i = 0; i < 100; ++i) {
    TestClient client(port_, "n" + std::to_string(i) + ".example");
    ASSERT_TRUE(client.shake_hands()) << i;
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(next().outcome, RefusedAfterHandshake);
  expect_that_it_still_serves();
}

}  // namespace
}  // namespace hilcop
