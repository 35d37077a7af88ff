// SPDX-License-Identifier: Apache-2.0
// Names, rules and what is answered by them, without a socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "network/services/dns_query.h"
#include "network/services/dns_responder.h"

namespace hilcop::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = DnsRule::Kind;

std::vector<IpAddress> addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> made;
  for (const auto& text : texts) made.push_back(IpAddress::of(text));
  return made;
}

TEST(DnsNamesTest, EachNameHasAnAddressInTheOrderOfTheFirstQuery) {
  DnsNames names;
  EXPECT_EQ(names.addresses(DnsName::of("one.example"))->v4.text(), "198.18.0.1");
  EXPECT_EQ(names.addresses(DnsName::of("Two.Example"))->v4.text(), "198.18.0.2");
  EXPECT_EQ(names.addresses(DnsName::of("ONE.example."))->v4.text(), "198.18.0.1");
  EXPECT_EQ(names.addresses(DnsName::of("two.example"))->v6.text(), "fd77:198:18::c612:2");
  EXPECT_EQ(names.name_of(IpAddress::of("198.18.0.2")), "two.example");
  EXPECT_EQ(names.name_of(IpAddress::of("fd77:198:18::c612:1")), "one.example");
  for (const char* nobody : {"198.18.0.0", "198.18.0.3", "198.17.255.255", "10.0.0.1", "fd77:198:19::c612:1", "fd77:198:18::a00:1"})
    EXPECT_FALSE(names.name_of(IpAddress::of(nobody))) << nobody;
  EXPECT_EQ(names.size(), 2u);
}

TEST(DnsNamesTest, ThereIsAnEndToThem) {
  DnsNames names;
  for (std::size_t i = 0; i < DnsNames::kMost; ++i) ASSERT_TRUE(names.addresses(DnsName::of("n" + std::to_string(i))));
  EXPECT_FALSE(names.addresses(DnsName::of("one.more")));
  EXPECT_FALSE(names.addresses(DnsName::of("another")));
  EXPECT_EQ(names.exhausted(), 2u);
  EXPECT_EQ(names.size(), DnsNames::kMost);
  EXPECT_EQ(names.addresses(DnsName::of("n130999"))->v4.text(), "198.19.255.184") << "those that have one keep it";
  EXPECT_EQ(names.name_of(IpAddress::of("198.19.255.184")), "n130999");
}

TEST(DnsRulesTest, TheOneThatSaysMostOfANameIsUsed) {
  DnsRules rules;
  EXPECT_EQ(rules.find(DnsName::of("a.example.com")).pattern, "");
  for (const char* pattern : {"*", "*.com", "*.Example.com", "a.example.com", "example.com"}) rules.set(pattern, {.kind = Kind::NxDomain});
  EXPECT_EQ(rules.find(DnsName::of("A.EXAMPLE.COM")).pattern, "a.example.com");
  EXPECT_EQ(rules.find(DnsName::of("b.a.example.com")).pattern, "*.Example.com");
  EXPECT_EQ(rules.find(DnsName::of("example.com")).pattern, "example.com");
  EXPECT_EQ(rules.find(DnsName::of("notexample.com")).pattern, "*.com");
  EXPECT_EQ(rules.find(DnsName::of("com")).pattern, "*") << "a suffix is for what is below it alone";
  EXPECT_EQ(rules.find(DnsName()).pattern, "*");
  EXPECT_TRUE(rules.remove("*.example.com"));
  EXPECT_FALSE(rules.remove("*.example.com"));
  EXPECT_EQ(rules.find(DnsName::of("b.example.com")).pattern, "*.com");
  rules.clear();
  EXPECT_EQ(rules.find(DnsName::of("a.example.com")).rule.kind, Kind::Answer);
}

TEST(DnsRulesTest, WhatMakesNoSenseIsRefused) {
  DnsRules rules;
  const auto refused = [&](const char* pattern, const DnsRule& rule) { return error_of([&] { rules.set(pattern, rule); }); };
  EXPECT_THAT(refused("a", {.kind = Kind::Address}).what(), HasSubstr("DNS rule for 'a': address has no address"));
  EXPECT_THAT(refused("a", {.kind = Kind::Rebind, .addresses = addresses({"10.0.0.1"})}).what(), HasSubstr("no address to change to"));
  EXPECT_THAT(refused("a", {.delay = -1ms}).what(), HasSubstr("its delay"));
  EXPECT_THAT(refused("a", {.records = {{DnsName::of("a"), DnsType::Cname, kDnsInternet, 1,
                                         "\x07"
                                         "bad"}}})
                  .what(),
              HasSubstr("a record has data"));
  EXPECT_EQ(refused("a..b", {}).kind(), ErrorKind::Config);
  EXPECT_EQ(refused("", {}).kind(), ErrorKind::Config);
}

class DnsResponderTest : public testing::Test {
 protected:
  std::string ask(const std::string& name, DnsType type = DnsType::A, DnsTransport transport = DnsTransport::Udp) {
    reply_ = responder_.reply(dns_query(name, type), transport);
    return dns_summary(reply_.bytes);
  }
  DnsNames names_{3};
  DnsRules rules_;
  DnsResponder responder_{names_, rules_, true};
  DnsReply reply_;
};

TEST_F(DnsResponderTest, ANameHasItsOwnAddress) {
  EXPECT_EQ(ask("www.Example.com"), "NOERROR A 198.18.0.1");
  EXPECT_EQ(reply_.answered, "A 198.18.0.1");
  EXPECT_EQ(reply_.rule, "");
  EXPECT_EQ(reply_.addresses, addresses({"198.18.0.1"}));
  const auto message = dns_message(reply_.bytes);
  EXPECT_EQ(message.id, 0x1234);
  EXPECT_EQ(message.answers[0].name.text(), "www.Example.com") << "in the case that it was asked in";
  EXPECT_EQ(message.answers[0].ttl, 30u);
  EXPECT_TRUE(message.response && message.recursion_available && message.recursion_desired);
  EXPECT_EQ(ask("www.example.com", DnsType::Aaaa), "NOERROR AAAA fd77:198:18::c612:1");
  EXPECT_EQ(ask("www.example.com", DnsType::Any), "NOERROR A 198.18.0.1, AAAA fd77:198:18::c612:1");
  EXPECT_EQ(ask("1.0.18.198.in-addr.arpa", DnsType::Ptr), "NOERROR PTR www.example.com");
  EXPECT_EQ(ask(reverse_name(IpAddress::of("fd77:198:18::c612:1")).text(), DnsType::Ptr), "NOERROR PTR www.example.com");
  EXPECT_EQ(ask("2.0.18.198.in-addr.arpa", DnsType::Ptr), "NXDOMAIN");
}

TEST_F(DnsResponderTest, WhatThereIsNotIsSaidWithASoa) {
  EXPECT_EQ(ask("www.example.com", DnsType::Https), "NOERROR");
  EXPECT_EQ(reply_.answered, "no such record");
  EXPECT_EQ(dns_message(reply_.bytes).authorities.at(0).type, DnsType::Soa);
  DnsResponder without_ipv6(names_, rules_, false);
  EXPECT_EQ(dns_summary(without_ipv6.reply(dns_query("www.example.com", DnsType::Aaaa), DnsTransport::Udp).bytes), "NOERROR");
  EXPECT_EQ(names_.size(), 0u) << "nobody was given an address";
  rules_.set("*.gone.example", {.kind = Kind::NxDomain});
  EXPECT_EQ(ask("a.gone.example"), "NXDOMAIN");
  EXPECT_EQ(dns_message(reply_.bytes).authorities.at(0).type, DnsType::Soa);
  EXPECT_EQ(reply_.answered, "NXDOMAIN");
  EXPECT_EQ(reply_.rule, "nxdomain for '*.gone.example'");
}

TEST_F(DnsResponderTest, WhenNoAddressIsLeftItSaysSo) {
  for (const char* name : {"a", "b", "c"}) EXPECT_THAT(ask(name), HasSubstr("NOERROR A"));
  EXPECT_EQ(ask("d"), "SERVFAIL");
  EXPECT_EQ(reply_.answered, "SERVFAIL: no address is left for one more name");
  EXPECT_EQ(ask("c"), "NOERROR A 198.18.0.3");
}

TEST_F(DnsResponderTest, RulesThatFail) {
  rules_.set("a", {.kind = Kind::ServFail});
  rules_.set("b", {.kind = Kind::Refused});
  rules_.set("c", {.kind = Kind::Silence});
  EXPECT_EQ(ask("a"), "SERVFAIL");
  EXPECT_EQ(ask("b"), "REFUSED");
  const auto silence = responder_.reply(dns_query("c"), DnsTransport::Udp);
  EXPECT_EQ(silence.bytes, "");
  EXPECT_EQ(silence.answered, "nothing");
  EXPECT_EQ(silence.question->name.text(), "c");
}

TEST_F(DnsResponderTest, RulesThatLie) {
  rules_.set("a", {.kind = Kind::Address, .addresses = addresses({"192.0.2.1", "192.0.2.2", "2001:db8::1"}), .ttl = 7});
  rules_.set("b", {.kind = Kind::Spoof, .addresses = addresses({"203.0.113.1"})});
  rules_.set("c", {.kind = Kind::Rebind, .addresses = addresses({"203.0.113.1"}), .then = addresses({"192.168.0.1", "::1"})});
  EXPECT_EQ(ask("a"), "NOERROR A 192.0.2.1, A 192.0.2.2");
  EXPECT_EQ(dns_message(reply_.bytes).answers[0].ttl, 7u);
  EXPECT_EQ(ask("a", DnsType::Aaaa), "NOERROR AAAA 2001:db8::1");
  EXPECT_EQ(ask("b"), "NOERROR A 203.0.113.1");
  EXPECT_EQ(reply_.rule, "spoof for 'b'");
  EXPECT_EQ(ask("b", DnsType::Aaaa), "NOERROR") << "it has none of that family";
  EXPECT_EQ(ask("c"), "NOERROR A 203.0.113.1");
  EXPECT_EQ(dns_message(reply_.bytes).answers[0].ttl, 0u);
  EXPECT_EQ(ask("C", DnsType::Aaaa), "NOERROR") << "the first of that type";
  EXPECT_EQ(ask("C"), "NOERROR A 192.168.0.1");
  EXPECT_EQ(ask("c", DnsType::Aaaa), "NOERROR AAAA ::1");
  EXPECT_EQ(ask("c"), "NOERROR A 192.168.0.1");
  rules_.set("c", {.kind = Kind::Rebind, .addresses = addresses({"203.0.113.9"}), .then = addresses({"192.168.0.1"})});
  EXPECT_EQ(ask("c"), "NOERROR A 203.0.113.9") << "set again it begins anew";
}

TEST_F(DnsResponderTest, RulesThatBreakTheProtocol) {
  rules_.set("id", {.kind = Kind::WrongId});
  rules_.set("loop", {.kind = Kind::CompressionLoop});
  rules_.set("tc", {.kind = Kind::Truncated});
  EXPECT_EQ(ask("id"), "NOERROR A 198.18.0.1");
  EXPECT_EQ(dns_message(reply_.bytes).id, 0x1234 ^ 0x5555);
  const auto loop = responder_.reply(dns_query("loop"), DnsTransport::Udp).bytes;
  EXPECT_THAT(parse_dns(loop).problem, HasSubstr("a pointer that does not point back"));
  EXPECT_TRUE(parse_dns(loop.substr(0, 6) + std::string(6, '\0') + loop.substr(12, loop.size() - 28)).message) << "the rest is sound";
  EXPECT_EQ(ask("tc"), "NOERROR truncated");
  EXPECT_THAT(reply_.addresses, IsEmpty());
  EXPECT_EQ(ask("tc", DnsType::A, DnsTransport::Tcp), "NOERROR A 198.18.0.2");
}

TEST_F(DnsResponderTest, RecordsOfARule) {
  const auto name = DnsName::of("a");
  rules_.set("a", {.records = {txt_record(name, 5, "v=1"), name_record(name, DnsType::Cname, 5, DnsName::of("b"))}});
  EXPECT_THAT(ask("a", DnsType::Txt), HasSubstr("NOERROR TXT 03763d31"));
  EXPECT_EQ(ask("a"), "NOERROR CNAME b, A 198.18.0.1");
  EXPECT_EQ(ask("b"), "NOERROR A 198.18.0.1");
}

TEST_F(DnsResponderTest, WhatIsTooLongOverUdpGoesOverTcp) {
  rules_.set("a", {.records = {txt_record(DnsName::of("a"), 5, std::string(600, 't'))}});
  EXPECT_EQ(ask("a", DnsType::Txt), "NOERROR truncated");
  EXPECT_EQ(reply_.answered, "truncated");
  EXPECT_LE(reply_.bytes.size(), 512u);
  EXPECT_THAT(ask("a", DnsType::Txt, DnsTransport::Tcp), HasSubstr("NOERROR TXT ff7474"));
  const auto wide = responder_.reply(dns_query("a", DnsType::Txt, 1, 4096), DnsTransport::Udp);
  EXPECT_THAT(dns_summary(wide.bytes), HasSubstr("NOERROR TXT ff7474"));
  EXPECT_EQ(dns_message(wide.bytes).edns->udp_size, 1232);
  EXPECT_EQ(dns_summary(responder_.reply(dns_query("a", DnsType::Txt, 1, 0), DnsTransport::Udp).bytes), "NOERROR truncated");
}

TEST_F(DnsResponderTest, WhatIsNoQueryForItIsRefusedByItsCode) {
  const auto reply_to = [&](const std::function<void(DnsMessage&)>& change) {
    auto message = dns_message(dns_query("a", DnsType::A, 7, 1232));
    change(message);
    reply_ = responder_.reply(encode_dns(message, 512), DnsTransport::Udp);
    return reply_.bytes.empty() ? "nothing" : dns_summary(reply_.bytes);
  };
  EXPECT_EQ(reply_to([](DnsMessage& message) { message.response = true; }), "nothing") << "two servers would never end";
  EXPECT_THAT(reply_.problem, HasSubstr("an answer"));
  EXPECT_EQ(reply_to([](DnsMessage& message) { message.opcode = 5; }), "NOTIMP");
  EXPECT_EQ(reply_to([](DnsMessage& message) { message.questions.push_back(message.questions[0]); }), "FORMERR");
  EXPECT_EQ(reply_to([](DnsMessage& message) { message.questions.clear(); }), "FORMERR");
  EXPECT_EQ(reply_to([](DnsMessage& message) { message.edns->version = 1; }), "BADVERS");
  EXPECT_EQ(reply_to([](DnsMessage& message) { message.questions[0].klass = 3; }), "REFUSED");
  EXPECT_EQ(reply_.problem, "a question of class 3");
  const auto query = dns_query("a");
  EXPECT_EQ(dns_summary(responder_.reply(query.substr(0, 12), DnsTransport::Udp).bytes), "FORMERR");
  EXPECT_EQ(responder_.reply(query.substr(0, 11), DnsTransport::Udp).bytes, "");
  EXPECT_EQ(responder_.reply("", DnsTransport::Udp).bytes, "");
  EXPECT_EQ(names_.size(), 0u);
}

}  // namespace
}  // namespace hilcop::services
