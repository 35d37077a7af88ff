// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange against servers that do what servers should not. Digest authentication: tests/interop, with clients of others.
#include "io/http.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "fakes/tcp_server.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Peer = TcpServer::Peer;

HttpClient client_of(const TcpServer& server, HttpLogin login = {}) {
  return HttpClient({.host = "127.0.0.1", .port = server.port(), .ca_file = {}}, std::move(login), "plug 'x'", Deadline::in(5s));
}
Deadline soon() { return Deadline::in(5s); }
std::string ok(const std::string& body) { return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body; }

// What the server does after a whole request; what it heard.
struct Scripted {
  explicit Scripted(std::function<void(Peer&)> then)
      : server([this, then = std::move(then)](Peer& peer) {
          heard = peer.hear("\r\n\r\n");
          then(peer);
        }) {}
  std::string heard;
  TcpServer server;
};
std::function<void(Peer&)> saying(const std::string& bytes, std::size_t at_once = 65536) {
  return [bytes, at_once](Peer& peer) { peer.say(bytes, at_once); };
}

Error refused(const std::string& bytes) {
  Scripted far(saying(bytes));
  return error_of([&] { client_of(far.server).ask({.target = "/"}, soon()); });
}

TEST(HttpTest, AsksAndAnswers) {
  Scripted far(saying(ok("hello")));
  EXPECT_EQ(client_of(far.server).body({.target = "/a?b=c%20d", .headers = {"X-Key: 7"}}, soon()), "hello");
  EXPECT_THAT(far.heard, StartsWith("GET /a?b=c%20d HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(far.server.port()) + "\r\n"));
  EXPECT_THAT(far.heard, HasSubstr("\r\nX-Key: 7\r\n"));
}

TEST(HttpTest, SendsABodyWithItsMethod) {
  Scripted far([](Peer& peer) {
    peer.hear("\r\n\r\n{\"on\":true}");
    peer.say(ok("done"));
  });
  EXPECT_EQ(client_of(far.server)
                .body({.target = "/", .method = "PUT", .headers = {"Content-Type: application/json"}, .body = R"({"on":true})"}, soon()),
            "done");
  EXPECT_THAT(far.heard, StartsWith("PUT / HTTP/1.1\r\n"));
  EXPECT_THAT(far.heard, HasSubstr("\r\nContent-Length: 11\r\n"));
  EXPECT_EQ(client_of(far.server).body({.target = "/", .method = "POST", .body = R"({"on":true})"}, soon()), "done");
}

TEST(HttpTest, APostWithoutBodyIsWhole) {
  Scripted far(saying(ok("")));
  EXPECT_EQ(client_of(far.server).ask({.target = "/x", .method = "POST"}, soon()).status, 200);
  EXPECT_THAT(far.heard, StartsWith("POST /x HTTP/1.1\r\n"));
  EXPECT_THAT(far.heard, HasSubstr("\r\nContent-Length: 0\r\n"));
}

TEST(HttpTest, AnAnswerComesInAnyPieces) {
  Scripted bytes(saying(ok("one byte at a time"), 1));
  EXPECT_EQ(client_of(bytes.server).body({.target = "/"}, soon()), "one byte at a time");
  Scripted chunked(saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nchun\r\n3\r\nked\r\n0\r\n\r\n", 1));
  EXPECT_EQ(client_of(chunked.server).body({.target = "/"}, soon()), "chunked");
  Scripted until_closed(saying("HTTP/1.0 200 OK\r\n\r\nto the end"));
  EXPECT_EQ(client_of(until_closed.server).body({.target = "/"}, soon()), "to the end");
  Scripted with_zero(saying(ok(std::string("a\0b", 3))));
  EXPECT_EQ(client_of(with_zero.server).body({.target = "/"}, soon()).size(), 3u);
}

TEST(HttpTest, AServerThatClosesItsHalfFirstIsStillHeard) {
  Scripted far([](Peer& peer) {
    peer.say(ok("bye"));
    ::shutdown(peer.fd(), SHUT_WR);
    peer.stays(1000);
  });
  EXPECT_EQ(client_of(far.server).body({.target = "/"}, soon()), "bye");
}

TEST(HttpTest, WhoClosesInsteadOfAnsweringIsDisconnected) {
  for (const std::string part : {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf"}) {
    Scripted far(saying(part));
    const auto error = error_of([&] { client_of(far.server).ask({.target = "/"}, soon()); });
    EXPECT_EQ(error.kind(), ErrorKind::Disconnected) << part << error.what();
    EXPECT_THAT(error.what(), StartsWith("plug 'x': GET /: "));
  }
}

TEST(HttpTest, NobodyThereIsDisconnected) {
  std::optional<TcpServer> server(std::in_place, [](Peer&) {});
  const auto client = client_of(*server);
  server.reset();
  EXPECT_EQ(error_of([&] { client.ask({.target = "/"}, soon()); }).kind(), ErrorKind::Disconnected);
}

TEST(HttpTest, WhatIsNoHttpIsAProtocolError) {
  EXPECT_EQ(refused("SSH-2.0-OpenSSH_9.2\r\n").kind(), ErrorKind::Protocol);
  EXPECT_EQ(refused(std::string("\x00\xff\xfe{]<>\r\n\r\n", 9)).kind(), ErrorKind::Protocol);
  EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n").object(), "plug 'x'");
  EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n").kind(), ErrorKind::Protocol);
}

TEST(HttpTest, AStatusThatIsNoSuccessIsShownWithWhatWasSaid) {
  Scripted far(saying("HTTP/1.1 503 X\r\nContent-Length: 8\r\n\r\nno relay"));
  const auto error = error_of([&] { client_of(far.server).body({.target = "/on"}, soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("GET /on: it answers with status 503: 'no relay'"));
  Scripted again(saying("HTTP/1.1 404 X\r\nContent-Length: 4\r\n\r\nnone"));
  EXPECT_EQ(client_of(again.server).ask({.target = "/"}, soon()).status, 404);
}

TEST(HttpTest, ARefusedLoginIsPermissionDenied) {
  EXPECT_EQ(refused("HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n").kind(), ErrorKind::PermissionDenied);
  EXPECT_EQ(refused("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n").kind(), ErrorKind::PermissionDenied);
}

TEST(HttpTest, ARedirectIsNotFollowed) {
  std::atomic<bool> lured{false};
  TcpServer elsewhere([&](Peer&) { lured = true; });
  const auto there = "http://127.0.0.1:" + std::to_string(elsewhere.port()) + "/";
  const auto error = refused("HTTP/1.1 302 X\r\nLocation: " + there + "\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr(there));
  EXPECT_FALSE(lured);
}

TEST(HttpTest, ABodyWithoutEndIsGivenUpEarly) {
  Scripted far([](Peer& peer) {
    peer.say("HTTP/1.1 200 OK\r\n\r\n");
    while (peer.say(std::string(65536, 'x'))) continue;
  });
  const auto error = error_of([&] { client_of(far.server).ask({.target = "/"}, Deadline::in(30s)); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("larger than 64 KiB"));
}

TEST(HttpTest, HeadersWithoutEndAreGivenUp) {
  Scripted far([](Peer& peer) {
    peer.say("HTTP/1.1 200 OK\r\n");
    while (peer.say("X-Filler: " + std::string(1000, 'x') + "\r\n")) continue;
  });
  const auto begin = real_clock().now();
  EXPECT_THROW(client_of(far.server).ask({.target = "/"}, Deadline::in(2s)), Error);
  EXPECT_LT(real_clock().now() - begin, 4s);
}

TEST(HttpTest, TheDeadlineHoldsAgainstSilenceDripsAndInterimAnswers) {
  const auto drip = [](const std::string& first, const std::string& more) {
    return [first, more](Peer& peer) {
      for (peer.say(first); peer.stays(20);)
        if (!more.empty() && !peer.say(more)) return;
    };
  };
  for (const auto& far_end : {drip("", ""), drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"),
                              drip("HTTP/1.1 200 OK\r\n", "A: b\r\n"), drip("", "HTTP/1.1 100 Continue\r\n\r\n")}) {
    Scripted far(far_end);
    const auto begin = real_clock().now();
    const auto error = error_of([&] { client_of(far.server).ask({.target = "/"}, Deadline::in(200ms)); });
    EXPECT_EQ(error.kind(), ErrorKind::Timeout) << error.what();
    EXPECT_LT(real_clock().now() - begin, 1s);
    EXPECT_GE(real_clock().now() - begin, 195ms);
  }
}

TEST(HttpTest, AnExpiredDeadlineSendsNothing) {
  std::atomic<bool> asked{false};
  TcpServer server([&](Peer&) { asked = true; });
  EXPECT_EQ(error_of([&] { client_of(server).ask({.target = "/"}, Deadline::in(-1s)); }).kind(), ErrorKind::Timeout);
  EXPECT_FALSE(asked);
}

TEST(HttpTest, AHostWithoutAddressIsNotFound) {
  EXPECT_EQ(error_of([] { HttpClient({.host = "http://10.0.0.1", .ca_file = {}}, {}, "plug 'x'", Deadline::in(5s)); }).kind(),
            ErrorKind::NotFound);
}

TEST(HttpTest, ANameIsLookedUpOnceAndSentAsItIs) {
  Scripted far(saying(ok("")));
  const HttpClient client({.host = "localhost", .port = far.server.port(), .ca_file = {}}, {}, "plug 'x'", soon());
  client.ask({.target = "/"}, soon());
  EXPECT_THAT(far.heard, HasSubstr("\r\nHost: localhost:"));
}

TEST(HttpTest, AProxyOfTheEnvironmentIsNotUsed) {
  std::atomic<bool> lured{false};
  TcpServer proxy([&](Peer&) { lured = true; });
  const auto address = "http://127.0.0.1:" + std::to_string(proxy.port());
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, address.c_str(), 1);
  Scripted far(saying(ok("direct")));
  EXPECT_EQ(client_of(far.server).body({.target = "/"}, soon()), "direct");
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  EXPECT_FALSE(lured);
}

TEST(HttpTest, BasicLoginIsSentAndNoErrorShowsThePassword) {
  Scripted far(saying("HTTP/1.1 500 X\r\nContent-Length: 33\r\n\r\nYou said s3cret/+ or s3cret%2F%2B"));
  const auto client = client_of(far.server, {HttpAuth::Basic, "ann", "s3cret/+"});
  const auto error = error_of([&] { client.body({.target = "/cm?password=" + url_escaped("s3cret/+")}, soon()); });
  EXPECT_THAT(far.heard, HasSubstr("\r\nAuthorization: Basic YW5uOnMzY3JldC8r\r\n"));  // base64 of ann:s3cret/+
  EXPECT_THAT(error.what(), HasSubstr("password=***"));
  EXPECT_THAT(error.what(), HasSubstr("You said *** or ***"));
  EXPECT_THAT(error.what(), Not(HasSubstr("s3cret")));
}

TEST(HttpTest, ATargetThatIsNoneIsNamed) {
  Scripted far(saying(ok("")));
  const auto error = error_of([&] { client_of(far.server).ask({.target = "/a b\r\nX: y"}, soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::Config) << error.what();
}

TEST(HttpTest, TlsWhereThereIsNoneIsAProtocolErrorInTime) {
  Scripted far(saying("HTTP/1.1 400 X\r\n\r\n"));
  const HttpClient client({.host = "127.0.0.1", .port = far.server.port(), .tls = true, .ca_file = {}}, {}, "plug 'x'", soon());
  const auto begin = real_clock().now();
  EXPECT_THROW(client.ask({.target = "/"}, Deadline::in(500ms)), Error);
  EXPECT_LT(real_clock().now() - begin, 2s);
}

TEST(HttpTest, EscapesAllButTheUnreserved) { EXPECT_EQ(url_escaped("aZ9-._~ &=+/%\xff"), "aZ9-._~%20%26%3D%2B%2F%25%FF"); }

}  // namespace
}  // namespace hilcop
