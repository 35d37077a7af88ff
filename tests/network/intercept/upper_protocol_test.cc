// SPDX-License-Identifier: Apache-2.0
// What is answered to a client so that it goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/intercept/upper_protocol.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string answers(const std::string& bytes, int status = 200) {
  UpperProtocol whole(status), by_byte(status);
  const auto at_once = whole.answer(bytes);
  std::string one_by_one;
  for (const char byte : bytes) one_by_one += by_byte.answer(std::string(1, byte));
  EXPECT_EQ(at_once, one_by_one);
  return at_once;
}

TEST(UpperProtocolTest, ARequestIsAnsweredWhenAllOfItIsThere) {
  EXPECT_EQ(answers("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 503), "HTTP/1.1 503 Bench\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answers("GET / HTTP/1.1\r\nHost: a\r\n"), "");
  EXPECT_EQ(answers("POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nabc"), "");
  EXPECT_THAT(answers("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answers("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(answers("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), "");
  EXPECT_EQ(answers("GET / HTTP/1.1\r\n\r\n", 204), "HTTP/1.1 204 Bench\r\nConnection: close\r\n\r\n");
}

TEST(UpperProtocolTest, WhatIsToBeSaidToAPathIsSaidThereAndNowhereElse) {
  const auto at = [](std::string_view method, std::string_view path) {
    const bool known = path == "/a.crl" && (method == "GET" || method == "HEAD");
    return known ? std::optional(PlannedAnswer{201, "text/plain", std::string("\x30\0", 2)}) : std::nullopt;
  };
  const auto answer = [&](const std::string& line) { return UpperProtocol(404, at).answer(line + "\r\nHost: a\r\n\r\n"); };
  const std::string head = "HTTP/1.1 201 Bench\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
  const auto served = head + std::string("\x30\0", 2);
  EXPECT_EQ(answer("GET /a.crl HTTP/1.1"), served);
  EXPECT_EQ(answer("GET http://crl.example/a.crl HTTP/1.1"), served);
  EXPECT_EQ(answer("GET /a.crl?b=/c HTTP/1.1"), served);
  EXPECT_EQ(answer("HEAD /a.crl HTTP/1.1"), head);
  for (const char* other : {"GET /a.crl2 HTTP/1.1", "GET / HTTP/1.1", "GET http://a.crl HTTP/1.1", "POST /a.crl HTTP/1.1", "GET * HTTP/1.1",
                            "GET  HTTP/1.1", "GET :// HTTP/1.1"})
    EXPECT_THAT(answer(other), StartsWith("HTTP/1.1 404 ")) << other;
  const auto no_content = [](std::string_view, std::string_view) { return std::optional(PlannedAnswer{204, "text/plain", ""}); };
  EXPECT_EQ(UpperProtocol(404, no_content).answer("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 204 Bench\r\nConnection: close\r\n\r\n");
  UpperProtocol twice(404, at);
  EXPECT_EQ(twice.answer("GET /a.crl HTTP/1.1\r\n\r\n"), served);
  EXPECT_THAT(twice.answer("POST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), StartsWith("HTTP/1.1 404 "));
}

TEST(UpperProtocolTest, ABodyThatIsWaitedForIsAskedFor) {
  EXPECT_EQ(answers("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(UpperProtocolTest, MqttGoesOn) {
  const std::string connect("\x10\x10\0\4MQTT\4\2\0\x3c\0\4user", 18), connect5("\x10\x0e\0\4MQTT\5\2\0\x3c\0\0\1d", 16);
  EXPECT_EQ(answers(connect), std::string("\x20\2\0\0", 4));
  EXPECT_EQ(answers(connect5), std::string("\x20\3\0\0\0", 5));
  const std::string publish1("\x32\6\0\1t\0\7x", 8), publish2("\x34\6\0\1t\0\x08x", 8), publish0("\x30\4\0\1tx", 6);
  EXPECT_EQ(answers(connect + publish0), std::string("\x20\2\0\0", 4));
  EXPECT_EQ(answers(connect + publish1 + publish2), std::string("\x20\2\0\0\x40\2\0\7\x50\2\0\x08", 12));
  EXPECT_EQ(answers(connect + std::string("\x82\6\0\x09\0\1t\0\xc0\0", 10)), std::string("\x20\2\0\0\x90\3\0\x09\0\xd0\0", 11));
  EXPECT_EQ(answers(connect.substr(0, 17)), "");
}

TEST(UpperProtocolTest, ToAllElseNothingIsSaid) {
  for (const auto& bytes : {std::string("\xff\xfe"), std::string("EHLO there\r\n"), std::string("hello\r\n\r\n"),
                            std::string("PRI * HTTP/2.0\r\n\r\nSM"), std::string("\x10\xff\xff\xff\xff\xff"), std::string(1000, 'A')})
    EXPECT_EQ(answers(bytes), "") << bytes;
}

}  // namespace
}  // namespace hilcop
