// SPDX-License-Identifier: Apache-2.0
// A ClientHello in TLS records, in pieces of any size; and what is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/intercept/client_hello.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using State = ClientHelloReader::State;

std::string sized(const std::string& text, int bytes) {
  std::string length;
  for (int i = bytes - 1; i >= 0; --i) length += static_cast<char>(text.size() >> (8 * i));
  return length + text;
}
std::string extension(char type, const std::string& body) { return std::string{'\0', type} + sized(body, 2); }
std::string record(const std::string& fragment) { return "\x16\x03\x01" + sized(fragment, 2); }
std::string name_extension(const std::string& name) { return extension(0, sized('\0' + sized(name, 2), 2)); }

std::string hello_message(const std::string& extensions) {
  const std::string body = "\x03\x03" + std::string(32, 'r') + sized("", 1) + sized(std::string("\x13\x01\x00\x2f", 4), 2) +
                           sized(std::string(1, '\0'), 1) + (extensions.empty() ? "" : sized(extensions, 2));
  return '\1' + sized(body, 3);
}

const std::string kAll = name_extension("Cloud.Example.") + extension(16, sized(sized("h2", 1) + sized("http/1.1", 1), 2)) +
                         extension(43, sized(std::string("\x03\x04\x03\x03", 4), 1)) + extension(5, std::string("\1\0\0\0\0", 5));

TEST(ClientHelloTest, EverythingThatMattersIsRead) {
  ClientHelloReader reader;
  ASSERT_EQ(reader.take(record(hello_message(kAll))), State::Complete);
  const auto& hello = reader.hello();
  EXPECT_EQ(hello.server_name, "cloud.example");
  EXPECT_THAT(hello.alpn, ElementsAre("h2", "http/1.1"));
  EXPECT_THAT(hello.versions, ElementsAre(0x0304, 0x0303));
  EXPECT_TRUE(hello.lists_versions);
  EXPECT_THAT(hello.cipher_suites, ElementsAre(0x1301, 0x002f));
  EXPECT_TRUE(hello.asks_for_staple);
}

TEST(ClientHelloTest, InPiecesOfAnySizeAndRecordsOfAnySize) {
  const auto message = hello_message(kAll);
  for (const std::size_t fragment : {std::size_t{1}, std::size_t{3}, std::size_t{7}, message.size()}) {
    std::string bytes;
    for (std::size_t at = 0; at < message.size(); at += fragment) bytes += record(message.substr(at, fragment));
    ClientHelloReader reader;
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) ASSERT_EQ(reader.take(bytes.substr(i, 1)), State::Incomplete) << i;
    EXPECT_EQ(reader.take(bytes.substr(bytes.size() - 1)), State::Complete);
    EXPECT_EQ(reader.bytes(), bytes);
    EXPECT_EQ(reader.hello().server_name, "cloud.example");
  }
}

TEST(ClientHelloTest, OldClientsHaveNoExtensionsOrTheFormOfSsl2) {
  ClientHelloReader plain;
  ASSERT_EQ(plain.take(record(hello_message(""))), State::Complete);
  EXPECT_EQ(plain.hello().server_name, "");
  EXPECT_THAT(plain.hello().versions, ElementsAre(0x0303));
  EXPECT_FALSE(plain.hello().lists_versions);
  ClientHelloReader ssl2;
  const std::string bytes = std::string("\x80\x1c\1\3\1\0\3\0\0\0\x10\0\0\x2f", 14) + std::string(16, 'c');
  ASSERT_EQ(ssl2.take(bytes.substr(0, 20)), State::Incomplete);
  ASSERT_EQ(ssl2.take(bytes.substr(20)), State::Complete);
  EXPECT_TRUE(ssl2.hello().in_ssl2_form);
  EXPECT_THAT(ssl2.hello().versions, ElementsAre(0x0301));
}

TEST(ClientHelloTest, WhatIsNoTlsIsKnownByItsFirstBytes) {
  for (const std::string bytes :
       {"GET / HTTP/1.1\r\n", "\x10\x0c\0\4MQTT", "\x16GARBAGE", "\x17\x03\x03", "\x80\x2e\x02", "SSH-2.0-x\r\n"}) {
    ClientHelloReader reader;
    EXPECT_EQ(reader.take(bytes), State::NotTls) << bytes;
    EXPECT_EQ(reader.bytes(), bytes);
  }
  ClientHelloReader server;  // a ServerHello
  EXPECT_EQ(server.take(record('\2' + sized("x", 3))), State::NotTls);
  ClientHelloReader torn;  // an extension that is longer than all of it
  EXPECT_EQ(torn.take(record(hello_message(std::string("\0\0\xff\xff", 4)))), State::NotTls);
}

TEST(ClientHelloTest, TheMemoryForItIsBounded) {
  ClientHelloReader says_so;
  EXPECT_EQ(says_so.take(record(std::string("\1\xff\xff\xff", 4))), State::TooLong);
  ClientHelloReader empty_records;
  auto state = State::Incomplete;
  for (int i = 0; i < 100'000 && state == State::Incomplete; ++i) state = empty_records.take(record(""));
  EXPECT_EQ(state, State::TooLong);
  EXPECT_LE(empty_records.bytes().size(), ClientHelloReader::kMost + 5);
}

TEST(ClientHelloTest, ANameThatNoHostCanHaveIsNone) {
  for (const auto& name : {std::string("a\0b", 3), std::string("x y"), std::string(254, 'a'), std::string("*"), std::string("\xc3\xa9")}) {
    ClientHelloReader reader;
    ASSERT_EQ(reader.take(record(hello_message(name_extension(name)))), State::Complete);
    EXPECT_THAT(reader.hello().server_name, IsEmpty());
  }
}

TEST(ClientHelloTest, VersionsHaveNames) {
  EXPECT_EQ(version_name(0x0303), "TLS 1.2");
  EXPECT_EQ(version_name(0xfefd), "DTLS 1.2");
  EXPECT_EQ(version_name(0x1a1a), "0x1a1a");
}

}  // namespace
}  // namespace hilcop
