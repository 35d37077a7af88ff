// SPDX-License-Identifier: Apache-2.0
// Datagrams that others made: OpenSSL's DTLS, and the QUIC packets of RFC 9001 A.2 and RFC 9369 A.2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "network/intercept/datagram_hello.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string recorded(const std::string& name) {
  std::ifstream in(std::string(DATAGRAMS) + "/" + name, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}
std::optional<DatagramHello> parsed(const std::string& bytes) { return parse_datagram_hello(std::as_bytes(std::span(bytes))); }

TEST(DatagramHelloTest, DtlsIsRead) {
  const auto found = parsed(recorded("dtls1_2"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, DatagramHello::Kind::Dtls);
  EXPECT_EQ(found->version_text, "DTLS 1.2");
  ASSERT_TRUE(found->hello);
  EXPECT_EQ(found->hello->server_name, "coap.example");
  EXPECT_EQ(found->unread, "");
  EXPECT_EQ(parsed(recorded("dtls1")).value().version_text, "DTLS 1.0");
}

TEST(DatagramHelloTest, AFragmentOfDtlsIsSeen) {
  auto bytes = recorded("dtls1_2");
  bytes.resize(13 + 12 + 20);
  bytes[12] = 12 + 20;  // of the record
  bytes[11] = 0;
  bytes[13 + 10] = 0;
  bytes[13 + 11] = 20;  // of the fragment
  const auto found = parsed(bytes);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->hello);
  EXPECT_THAT(found->unread, HasSubstr("goes on in other datagrams"));
}

TEST(DatagramHelloTest, QuicIsDecrypted) {
  for (const auto& [file, version] : {std::pair{"quic1", "QUIC v1"}, {"quic1_pieces", "QUIC v1"}, {"quic2", "QUIC v2"}}) {
    const auto found = parsed(recorded(file));
    ASSERT_TRUE(found) << file;
    EXPECT_EQ(found->kind, DatagramHello::Kind::Quic);
    EXPECT_EQ(found->version_text, version);
    ASSERT_TRUE(found->hello) << found->unread;
    EXPECT_EQ(found->hello->server_name, "example.com");
    EXPECT_THAT(found->hello->alpn, ElementsAre("alpn"));
    EXPECT_THAT(found->hello->versions, ElementsAre(0x0304));
  }
}

TEST(DatagramHelloTest, AHelloOfSeveralDatagramsIsSeen) {
  const auto found = parsed(recorded("quic1_goes_on"));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->hello);
  EXPECT_THAT(found->unread, HasSubstr("goes on in other datagrams"));
}

TEST(DatagramHelloTest, WhatDoesNotDecryptIsSaidToBeEncrypted) {
  auto bytes = recorded("quic1");
  bytes[600] = static_cast<char>(bytes[600] ^ 1);
  const auto found = parsed(bytes);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->hello);
  EXPECT_THAT(found->unread, HasSubstr("encrypted"));
  auto unknown = recorded("quic1");
  unknown[1] = 0x0a;
  unknown[2] = 0x0a;
  const auto version = parsed(unknown);
  ASSERT_TRUE(version);
  EXPECT_EQ(version->version_text, "QUIC version 0x0a0a0001");
  EXPECT_THAT(version->unread, HasSubstr("whose keys are not known"));
}

TEST(DatagramHelloTest, OtherDatagramsAreNeither) {
  const std::string dns("\x12\x34\1\0\0\1\0\0\0\0\0\0\5cloud\7example\0\0\1\0\1", 31);
  for (const auto& bytes : {std::string(), dns, std::string(1200, '\0'), std::string(1200, '\xff'), std::string("GET / HTTP/1.1\r\n\r\n")})
    EXPECT_FALSE(parsed(bytes));
  for (const auto* file : {"dtls1_2", "quic1"}) {
    const auto bytes = recorded(file);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(parsed(bytes.substr(0, size)).has_value() && parsed(bytes.substr(0, size))->hello);
  }
}

}  // namespace
}  // namespace hilcop
