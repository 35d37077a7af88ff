// SPDX-License-Identifier: Apache-2.0
// Bytes by RFC 1035 and 6891, written by hand; and what hostile ones do to the parser: nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "network/services/dns_message.h"
#include "network/services/dns_records.h"

namespace hilcop::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// www.Example.com A, recursion desired, with an OPT record of 1232 bytes and DO.
const std::string kGoldenQuery(
    "\x12\x34\x01\x00\0\1\0\0\0\0\0\1"
    "\3www\7Example\3com\0\0\1\0\1"
    "\0\0\x29\x04\xd0\0\0\x80\0\0\0",
    44);
// Its answer: the name of the record is a pointer to the question's.
const std::string kGoldenAnswer(
    "\x12\x34\x85\x80\0\1\0\1\0\0\0\0"
    "\3www\7Example\3com\0\0\1\0\1"
    "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\xc6\x12\0\1",
    49);
const std::string kHeader("\0\1\1\0\0\1\0\0\0\0\0\0", 12);
const std::string kAskedA("\0\1\0\1", 4);

DnsMessage parsed(std::string_view bytes) {
  auto found = parse_dns(bytes);
  EXPECT_TRUE(found.message) << found.problem;
  return found.message.value_or(DnsMessage());
}

std::string problem_of(const std::string& bytes) {
  const auto found = parse_dns(bytes);
  EXPECT_FALSE(found.message);
  return found.problem;
}

// With everything that a message can have.
DnsMessage rich() {
  const auto name = DnsName::of("a.example.com"), other = DnsName::of("b.example.com");
  DnsMessage message = parsed(kGoldenQuery);
  message.response = message.authoritative = message.recursion_available = true;
  message.answers = {
      address_record(name, 1, IpAddress::of("198.18.0.1")), address_record(name, 2, IpAddress::of("fd77::1")),
      name_record(name, DnsType::Cname, 3, other),          name_record(name, DnsType::Ptr, 3, other),
      txt_record(name, 4, std::string(300, 't')),           srv_record(name, 5, other, 8883),
      https_record(name, 6, DnsName(), {"h2", "http/1.1"}), {name, DnsType::Mx, kDnsInternet, 7, std::string("\0\x0a", 2) + other.wire()}};
  message.authorities = {soa_record(DnsName::of("example.com"), 8)};
  message.additionals = {{other, static_cast<DnsType>(4711), 3, 0xffffffff, "?"}};
  return message;
}

TEST(DnsMessageTest, AQueryIsReadByteForByte) {
  const auto message = parsed(kGoldenQuery);
  EXPECT_EQ(message.id, 0x1234);
  EXPECT_FALSE(message.response);
  EXPECT_TRUE(message.recursion_desired);
  ASSERT_EQ(message.questions.size(), 1u);
  EXPECT_EQ(message.questions[0].name.text(), "www.Example.com") << "the case is kept";
  EXPECT_EQ(message.questions[0].name, DnsName::of("WWW.example.COM.")) << "and does not count";
  EXPECT_EQ(message.questions[0].type, DnsType::A);
  EXPECT_EQ(message.questions[0].klass, kDnsInternet);
  ASSERT_TRUE(message.edns);
  EXPECT_EQ(message.edns->udp_size, 1232);
  EXPECT_TRUE(message.edns->dnssec_ok);
  EXPECT_THAT(message.additionals, IsEmpty());
  EXPECT_EQ(encode_dns(message, 512), kGoldenQuery);
}

TEST(DnsMessageTest, AnAnswerIsWrittenByteForByte) {
  auto message = parsed(kGoldenQuery);
  message.edns.reset();
  message.response = message.authoritative = message.recursion_available = true;
  message.answers = {address_record(message.questions[0].name, 30, IpAddress::of("198.18.0.1"))};
  EXPECT_EQ(encode_dns(message, 512), kGoldenAnswer);
  EXPECT_EQ(to_text(parsed(kGoldenAnswer).answers.at(0)), "A 198.18.0.1");
}

TEST(DnsMessageTest, WhatIsWrittenIsRead) {
  const auto message = rich();
  const auto bytes = encode_dns(message, kDnsMostTcp);
  const auto again = parsed(bytes);
  EXPECT_EQ(encode_dns(again, kDnsMostTcp), bytes);
  std::vector<std::string> texts;
  for (const auto& record : again.answers) texts.push_back(to_text(record));
  EXPECT_THAT(texts, ElementsAre("A 198.18.0.1", "AAAA fd77::1", "CNAME b.example.com", "PTR b.example.com", HasSubstr("TXT ff7474"),
                                 "SRV b.example.com:8883",
                                 "HTTPS 000100000100"
                                 "0c02683208687474702f312e31",
                                 "MX b.example.com"));
  EXPECT_EQ(to_text(again.authorities.at(0)), "SOA ns.hilcop.invalid");
  EXPECT_EQ(to_text(again.additionals.at(0)), "TYPE4711 3f");
  EXPECT_EQ(again.additionals[0].ttl, 0xffffffff);
  EXPECT_EQ(again.answers[4].data.size(), 302u) << "a TXT of two strings";
}

TEST(DnsMessageTest, ACodeOfEdnsHasTwelveBits) {
  auto message = parsed(kGoldenQuery);
  message.code = DnsCode::BadVers;
  EXPECT_EQ(parsed(encode_dns(message, 512)).code, DnsCode::BadVers);
  EXPECT_EQ(to_string(DnsCode::BadVers), "BADVERS");
  EXPECT_EQ(to_string(static_cast<DnsCode>(11)), "RCODE11");
}

TEST(DnsMessageTest, CutAnywhereItIsNoMessage) {
  for (const auto& whole : {kGoldenQuery, kGoldenAnswer, encode_dns(rich(), kDnsMostTcp)}) {
    ASSERT_TRUE(parse_dns(whole).message);
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_THAT(problem_of(whole.substr(0, size)), HasSubstr("byte ")) << size;
    EXPECT_THAT(problem_of(whole + '\0'), HasSubstr("something after the message"));
  }
}

TEST(DnsMessageTest, AFlippedBitAnywhereGivesAMessageThatCanBeWrittenOrNone) {
  const auto whole = encode_dns(rich(), kDnsMostTcp);
  std::size_t messages = 0, none = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto spoilt = whole;
    spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << (bit % 8)));
    const auto found = parse_dns(spoilt);
    ASSERT_EQ(found.message.has_value(), found.problem.empty()) << bit;
    ++(found.message ? messages : none);
    if (!found.message) continue;
    const auto again = encode_dns(*found.message, kDnsMostTcp);
    ASSERT_EQ(encode_dns(parsed(again), kDnsMostTcp), again) << bit;
  }
  EXPECT_GT(messages, 100u) << "most of a TXT may be anything";
  EXPECT_GT(none, 100u);
}

TEST(DnsMessageTest, PointersLeadBackOrNowhere) {
  EXPECT_EQ(parsed(kHeader + std::string("\0\0\1\0\1", 5)).questions.at(0).name.text(), ".");
  EXPECT_THAT(problem_of(kHeader + "\xc0\x0c" + kAskedA), HasSubstr("does not point back")) << "to itself";
  EXPECT_THAT(problem_of(kHeader + "\1a\xc0\x0c" + kAskedA), HasSubstr("does not point back")) << "to its own begin";
  EXPECT_THAT(problem_of(kHeader + "\xc0\x0e\xc0\x0c" + kAskedA), HasSubstr("does not point back")) << "to each other";
  EXPECT_THAT(problem_of(kHeader + "\xff\xff" + kAskedA), HasSubstr("does not point back")) << "beyond the end";
  EXPECT_THAT(problem_of(kHeader +
                         "\x40"
                         "a" +
                         kAskedA),
              HasSubstr("a kind that is not used"));
  EXPECT_THAT(problem_of(kHeader +
                         "\x80"
                         "a" +
                         kAskedA),
              HasSubstr("a kind that is not used"));
  // The second question's name is the first one's; a third one leads on to it by a pointer to a pointer, which is allowed.
  std::string three = kHeader + std::string("\1a\0", 3) + kAskedA + "\xc0\x0c" + kAskedA + "\xc0\x13" + kAskedA;
  three[5] = 3;
  EXPECT_EQ(parsed(three).questions.at(2).name.text(), "a");
}

TEST(DnsMessageTest, AChainOfPointersEnds) {
  // Each name is a pointer to the pointer before it: the last one would take a thousand steps.
  std::string chain = kHeader + std::string(1, '\0') + kAskedA;
  int count = 1;
  const auto add = [&] {
    const auto before = chain.size() - (count == 1 ? 5 : 6);
    chain += static_cast<char>(0xc0 | before >> 8);
    chain += static_cast<char>(before);
    chain += kAskedA;
    ++count;
  };
  while (count <= 127) add();
  chain[4] = 0, chain[5] = static_cast<char>(count);
  EXPECT_EQ(parsed(chain).questions.size(), 128u);
  while (count < 1000) add();
  chain[4] = static_cast<char>(count >> 8), chain[5] = static_cast<char>(count);
  EXPECT_THAT(problem_of(chain), HasSubstr("more pointers than labels"));
}

TEST(DnsMessageTest, NamesHaveALimit) {
  const std::string label = "\x3f" + std::string(63, 'a');
  const auto longest = label + label + label + "\x3d" + std::string(61, 'b') + std::string(1, '\0');
  ASSERT_EQ(longest.size(), 255u);
  EXPECT_EQ(parsed(kHeader + longest + kAskedA).questions.at(0).name.wire(), longest);
  EXPECT_THAT(problem_of(kHeader + label + label + label + "\x3e" + std::string(62, 'b') + std::string(1, '\0') + kAskedA),
              HasSubstr("a name of over 255 bytes"));
  // Two that are short enough are too long as one.
  auto two = kHeader + longest + kAskedA + "\1c\xc0\x0c" + kAskedA;
  two[5] = 2;
  EXPECT_THAT(problem_of(two), HasSubstr("a name of over 255 bytes"));
}

TEST(DnsMessageTest, OptStandsOnceAndInItsPlace) {
  const std::string opt("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11), named("\1a\0\0\x29\x04\xd0\0\0\0\0\0\0", 13);
  auto bytes = kGoldenQuery + opt;
  bytes[11] = 2;
  EXPECT_THAT(problem_of(bytes), HasSubstr("an OPT record"));
  auto header = kHeader;
  header[5] = 0, header[7] = 1;
  EXPECT_THAT(problem_of(header + opt), HasSubstr("an OPT record")) << "among the answers";
  header[7] = 0, header[11] = 1;
  EXPECT_THAT(problem_of(header + named), HasSubstr("an OPT record")) << "of a name";
  EXPECT_TRUE(parse_dns(header + opt).message);
}

TEST(DnsMessageTest, DataHasTheLengthThatItsTypeHas) {
  std::string bytes = kGoldenAnswer;
  bytes[44] = 3;
  bytes.pop_back();
  EXPECT_THAT(problem_of(bytes), HasSubstr("it ends within a record's data")) << "an A of three bytes";
  EXPECT_THAT(problem_of(kGoldenAnswer.substr(0, 44) + "\5" + std::string(5, 'x')), HasSubstr("another length than it says"));
}

TEST(DnsMessageTest, WhatHasNoRoomIsLeftOutAndSaidSo) {
  auto message = rich();
  message.questions[0].name = DnsName::of("a.example.com");
  const auto whole = encode_dns(message, kDnsMostTcp);
  ASSERT_GT(whole.size(), 512u);
  EXPECT_EQ(encode_dns(message, whole.size()), whole);
  const auto cut = encode_dns(message, whole.size() - 1);
  EXPECT_LE(cut.size(), whole.size() - 1);
  const auto read = parsed(cut);
  EXPECT_TRUE(read.truncated);
  EXPECT_FALSE(parsed(whole).truncated);
  EXPECT_THAT(read.answers, IsEmpty());
  EXPECT_EQ(read.questions.size(), 1u);
  EXPECT_TRUE(read.edns);
  message.answers = {txt_record(message.questions[0].name, 1, std::string(70'000, 't'))};
  EXPECT_TRUE(parsed(encode_dns(message, 1'000'000)).truncated) << "TCP has a limit too";
}

TEST(DnsMessageTest, NamesAreWrittenAsPeopleReadThem) {
  DnsName name;
  for (const auto& label : {std::string("a.b\\c"), std::string("\0 \xff", 3), std::string("d")}) ASSERT_TRUE(name.add_label(label));
  EXPECT_EQ(name.text(), "a\\.b\\\\c.\\000\\032\\255.d");
  EXPECT_EQ(DnsName::of(name.text()), name);
  EXPECT_EQ(DnsName::of(".").text(), ".");
  EXPECT_FALSE(name.add_label(std::string(64, 'x')));
  EXPECT_FALSE(name.add_label(""));
  for (const auto& bad : std::vector<std::string>{"", "a..b", ".a", "a\\", "a\\25", "a\\256", "..", std::string(64, 'x')})
    EXPECT_EQ(error_of([&] { DnsName::of(bad); }).kind(), ErrorKind::Config) << bad;
}

TEST(DnsMessageTest, ReverseNames) {
  for (const std::string text : {"198.18.0.1", "fd77:198:18::c612:1", "0.0.0.0"})
    EXPECT_EQ(reverse_address(reverse_name(IpAddress::of(text)))->text(), text);
  EXPECT_EQ(reverse_name(IpAddress::of("198.18.0.1")).text(), "1.0.18.198.in-addr.arpa");
  EXPECT_THAT(reverse_name(IpAddress::of("fd77::1")).text(), testing::StartsWith("1.0.0.0.0.0"));
  for (const char* none : {"www.example.com", "in-addr.arpa", "1.2.3.in-addr.arpa", "1.2.3.256.in-addr.arpa", "1.2.3.04.in-addr.arpa",
                           "1.2.3.x.in-addr.arpa", "1.2.3.4.5.in-addr.arpa", "1.2.3.4.in-addr.example", "1.0.ip6.arpa"})
    EXPECT_FALSE(reverse_address(DnsName::of(none))) << none;
}

}  // namespace
}  // namespace hilcop::services
