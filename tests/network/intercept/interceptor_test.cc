// SPDX-License-Identifier: Apache-2.0
// Connections of sound clients, and what is told of them.
#include "network/intercept/interceptor_fixture.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/waiting_thread.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(InterceptorTest, DataIsKeptWithItsTimes) {
  serve();
  const auto before = real_clock().now();
  TestClient client(port_);
  ASSERT_TRUE(client.shake_hands());
  EXPECT_THAT(secrets(), HasSubstr("SERVER_TRAFFIC_SECRET_0 ")) << "known before what it opens is sent";
  ASSERT_TRUE(client.send("POST /key HTTP/1.1\r\nContent-Length: 6\r\n\r\n"));
  ASSERT_TRUE(client.send("secret"));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 200 "));
  SSL_shutdown(client.tls());
  client.close();
  const auto connection = interceptor_->wait_for({"cloud.example", "", 0}, Deadline::in(10s));
  EXPECT_EQ(connection.outcome, SentApplicationData) << connection.cause;
  EXPECT_EQ(connection.data, "POST /key HTTP/1.1\r\nContent-Length: 6\r\n\r\nsecret");
  EXPECT_TRUE(connection.encrypted);
  EXPECT_EQ(connection.given, Sound);
  EXPECT_EQ(connection.version, "TLSv1.3");
  EXPECT_EQ(connection.aimed_at, (TcpAddress{"127.0.0.1", static_cast<std::uint16_t>(port_)}));
  EXPECT_EQ(connection.client.address, "127.0.0.1");
  EXPECT_EQ(connection.hello->server_name, "cloud.example");
  EXPECT_THAT(secrets(), HasSubstr("CLIENT_TRAFFIC_SECRET_0 "));
  ASSERT_FALSE(connection.pieces.empty());
  const std::vector<SteadyTime> order{before,
                                      connection.accepted.steady,
                                      connection.hello_read->steady,
                                      connection.flaw_shown->steady,
                                      connection.handshake_done->steady,
                                      connection.pieces.front().at.steady,
                                      connection.ended.steady};
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].data, connection.data);
}

TEST_F(InterceptorTest, AfterTheHandshakeSilenceAClosingAndACutAreToldApart) {
  InterceptOptions impatient;
  impatient.first_data = 200ms;
  serve(impatient);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestClient silent(port_, "cloud.example", version);
    ASSERT_TRUE(silent.shake_hands());
    EXPECT_EQ(next().outcome, CompletedSentNothing);
  }
  serve();  // who goes is waited for
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestClient closes(port_, "cloud.example", version);
    ASSERT_TRUE(closes.shake_hands());
    SSL_shutdown(closes.tls());
    const auto closed = next();
    EXPECT_EQ(closed.outcome, RefusedAfterHandshake) << closed.cause;
    EXPECT_THAT(closed.cause, HasSubstr("close_notify"));
    TestClient resets(port_, "cloud.example", version);
    ASSERT_TRUE(resets.shake_hands());
    resets.reset();
    EXPECT_EQ(next().outcome, RefusedAfterHandshake);
  }
}

TEST_F(InterceptorTest, AnAlertIsARefusalOnceTheCertificateWasShown) {
  serve();
  interceptor_->plan().set_default(UnknownCa);
  for (const int version : {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestClient client(port_, "cloud.example", version);
    SSL_set_verify(client.tls(), SSL_VERIFY_PEER, nullptr);
    EXPECT_FALSE(client.shake_hands());
    const auto connection = next();
    EXPECT_EQ(connection.outcome, RefusedInHandshake) << connection.cause;
    ASSERT_FALSE(connection.alerts.empty());
    EXPECT_EQ(connection.alerts[0].code, SSL_AD_UNKNOWN_CA);
    EXPECT_TRUE(connection.flaw_shown);
  }
}

TEST_F(InterceptorTest, AnAlertInARecordOfTheClientsOwnVersionIsOne) {
  serve();
  interceptor_->plan().set_default(OldVersion10);
  TestClient client(port_, "cloud.example", TLS1_2_VERSION);  // which says no list of versions: "1.2 or less"
  SSL_set_cipher_list(client.tls(), "ALL:@SECLEVEL=0");
  EXPECT_FALSE(client.shake_hands());
  const auto connection = next();
  EXPECT_EQ(connection.outcome, RefusedInHandshake) << connection.cause;
  ASSERT_FALSE(connection.alerts.empty());
  EXPECT_EQ(connection.alerts[0].code, SSL_AD_PROTOCOL_VERSION);
}

TEST_F(InterceptorTest, WithoutATrustedCaItIsNotTestableAndNothingIsShown) {
  static const CaseCertificates none{std::nullopt};
  serve({}, none);
  interceptor_->plan().set_default(WrongName);
  TestClient client(port_);
  EXPECT_FALSE(client.shake_hands());
  const auto connection = next();
  EXPECT_EQ(connection.outcome, NotTestable);
  EXPECT_THAT(connection.cause, HasSubstr("NOT TESTABLE"));
  EXPECT_FALSE(connection.flaw_shown);
  interceptor_->plan().set_default(OldVersion10);
  TestClient checks(port_, "cloud.example", TLS1_VERSION);
  SSL_set_verify(checks.tls(), SSL_VERIFY_PEER, nullptr);
  EXPECT_FALSE(checks.shake_hands());
  EXPECT_EQ(next().outcome, NotJudged) << "it took TLS 1.0, and refused the CA";
}

TEST_F(InterceptorTest, AClientWithoutANameIsKnownByTheAddressThatItAimedAt) {
  InterceptOptions options;
  options.destination_of = [](int) { return TcpAddress{"198.18.0.10", 8883}; };
  options.name_of_address = [](const std::string& address) { return address == "198.18.0.10" ? "broker.example" : ""; };
  serve(options);
  interceptor_->plan().set({"broker.example", "", 0}, {SelfSigned});
  TestClient client(port_, "");
  ASSERT_TRUE(client.shake_hands());
  const std::shared_ptr<X509> shown(SSL_get1_peer_certificate(client.tls()), X509_free);
  EXPECT_EQ(X509_check_host(shown.get(), "broker.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(shown.get(), "198.18.0.10", 0), 1);
  client.close();
  const auto connection = next();
  EXPECT_EQ(connection.given, SelfSigned);
  EXPECT_EQ(connection.name, "broker.example");
  EXPECT_EQ(connection.aimed_at.port, 8883);
}

TEST_F(InterceptorTest, ABannerIsSaidFirst) {
  InterceptOptions options;
  options.banners = {{{"mail.example", "", 0}, "220 mail\r\n"}};
  serve(options);
  TestClient client(port_, "mail.example");
  ASSERT_TRUE(client.shake_hands());
  EXPECT_EQ(client.receive(), "220 mail\r\n");
  ASSERT_TRUE(client.send("EHLO device\r\n"));
  SSL_shutdown(client.tls());
  EXPECT_EQ(next().data, "EHLO device\r\n");
}

// Many a device goes on only with what its register call was answered.
TEST_F(InterceptorTest, ARequestIsAnsweredAsItIsAsked) {
  serve();
  const auto said = [&](const std::string& host, const std::string& path) {
    TestClient client(port_, host);
    EXPECT_TRUE(client.shake_hands());
    EXPECT_TRUE(client.send("POST " + path + " HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"));
    return client.receive();
  };
  EXPECT_THAT(said("cloud.example", "/register"), HasSubstr("Content-Length: 0\r\n"));
  interceptor_->plan().set_answers({{{.server_name = "cloud.example"}, "/register", {201, "application/json", "{\"token\": \"t\"}"}}});
  EXPECT_THAT(said("cloud.example", "/register"), testing::EndsWith("\r\n\r\n{\"token\": \"t\"}"));
  EXPECT_THAT(said("cloud.example", "/register"), StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(said("other.example", "/register"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(said("cloud.example", "/erase"), HasSubstr("Content-Length: 0\r\n"));
  interceptor_->plan().set_answers({});
  EXPECT_THAT(said("cloud.example", "/register"), HasSubstr("Content-Length: 0\r\n"));
}

TEST_F(InterceptorTest, NoSessionIsTakenUpAgain) {
  serve();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestClient first(port_, "cloud.example", version), second(port_, "cloud.example", version);
    ASSERT_TRUE(first.shake_hands());
    ASSERT_TRUE(first.send("x"));
    const std::shared_ptr<SSL_SESSION> session(SSL_get1_session(first.tls()), SSL_SESSION_free);
    SSL_set_session(second.tls(), session.get());
    ASSERT_TRUE(second.shake_hands());
    EXPECT_EQ(SSL_session_reused(second.tls()), 0);
  }
}

TEST_F(InterceptorTest, AProtocolIsAgreedOnThatIsSpokenHere) {
  serve();
  const auto chosen = [this](const std::string& offered) {
    TestClient client(port_);
    SSL_set_alpn_protos(client.tls(), reinterpret_cast<const unsigned char*>(offered.data()), static_cast<unsigned>(offered.size()));
    EXPECT_TRUE(client.shake_hands());
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.tls(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  };
  EXPECT_EQ(chosen("\2h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(chosen("\x0ex-amzn-mqtt-ca"), "x-amzn-mqtt-ca");
  EXPECT_EQ(chosen("\2h2"), "");
}

TEST_F(InterceptorTest, StripIsRefusedByWhoGoesAndTakenByWhoSpeaksOn) {
  serve();
  interceptor_->plan().set_default(Strip);
  TestClient sound(port_);
  EXPECT_FALSE(sound.shake_hands());
  sound.close();
  EXPECT_EQ(next().outcome, RefusedInHandshake);
  TestClient falls(port_);
  ASSERT_TRUE(falls.send_plain(falls.hello()));
  EXPECT_THAT(falls.receive_plain(), StartsWith("HTTP/1.1 200"));
  ASSERT_TRUE(falls.send_plain("GET /?key=secret HTTP/1.1\r\n\r\n"));
  falls.receive_plain();
  falls.close();
  const auto fallen = next();
  EXPECT_EQ(fallen.outcome, SentApplicationData) << fallen.cause;
  EXPECT_FALSE(fallen.encrypted);
  EXPECT_EQ(fallen.data, "GET /?key=secret HTTP/1.1\r\n\r\n");
}

TEST_F(InterceptorTest, WhoDoesNotComeIsToldAtTheDeadline) {
  serve();
  EXPECT_EQ(interceptor_->wait_for({"cloud.example", "", 0}, Deadline::in(10ms)).outcome, NeverCame);
  TestClient client(port_);
  ASSERT_TRUE(client.shake_hands());
  const auto going_on = interceptor_->wait_for({"cloud.example", "", 0}, Deadline::in(10ms));
  EXPECT_EQ(going_on.outcome, NotJudged);
  EXPECT_THAT(going_on.cause, HasSubstr("went on"));
  EXPECT_EQ(interceptor_->wait_for({"other.example", "", 0}, Deadline::in(10ms)).outcome, NeverCame);
  client.close();
  EXPECT_EQ(interceptor_->wait_for({"cloud.example", "", 0}, Deadline::in(10s)).outcome, RefusedAfterHandshake);
  EXPECT_EQ(interceptor_->wait_for({"cloud.example", "", 0}, Deadline::in(10ms), real_clock().now()).outcome, NeverCame)
      << "it came before";
}

TEST_F(InterceptorTest, AWaitEndsOnAnInterrupt) {
  serve();
  bool interrupted = false;
  WaitingThread waits([&] {
    try {
      interceptor_->wait_for({"cloud.example", "", 0}, Deadline::in(60s));
    } catch (const Interrupted&) {
      interrupted = true;
    }
  });
  request_interrupt();
  waits.join();
  clear_interrupt();
  EXPECT_TRUE(interrupted);
}

TEST_F(InterceptorTest, ItsEndIsQuickAndTellsOfAllThatWentOn) {
  InterceptOptions options;
  options.handshake = options.first_data = 60s;  // longer than what is quick
  serve(options);
  TestClient idle(port_), done(port_);
  ASSERT_TRUE(done.shake_hands());
  const auto begun = Deadline::in(20s);
  while (interceptor_->counts().accepted < 2 && !begun.expired()) interceptor_->wait_for({"none", "", 0}, begun.at_most(5ms));
  interceptor_.reset();
  EXPECT_FALSE(begun.expired());
  ASSERT_EQ(told().size(), 2u);
  for (const auto& connection : told()) EXPECT_EQ(connection.outcome, NotJudged);
}

TEST_F(InterceptorTest, ASocketThatDoesNotListenIsRefused) {
  std::vector<UniqueFd> sockets;
  sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_THAT(error_of([&] { Interceptor(std::move(sockets), certificates(), Sound, {}); }).what(), HasSubstr("does not listen"));
}

}  // namespace
}  // namespace hilcop
