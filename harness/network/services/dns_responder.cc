// SPDX-License-Identifier: Apache-2.0
#include "network/services/dns_responder.h"

#include <algorithm>
#include <utility>

#include "network/services/dns_records.h"

namespace hilcop::services {

struct DnsResponder::Work {
  const DnsQuestion& question;
  DnsMessage message;
  DnsReply& reply;

  bool wants(DnsType type) const { return question.type == type || question.type == DnsType::Any; }
  void add(DnsRecord record) {
    if (!reply.answered.empty()) reply.answered += ", ";
    reply.answered += to_text(record);
    if (record.type == DnsType::A || record.type == DnsType::Aaaa)
      if (const auto address = IpAddress::of_bytes(record.data)) reply.addresses.push_back(*address);
    message.answers.push_back(std::move(record));
  }
  void add_addresses(const DnsName& name, const std::vector<IpAddress>& addresses, std::uint32_t ttl) {
    for (const auto& address : addresses)
      if (wants(address.is_v4() ? DnsType::A : DnsType::Aaaa)) add(address_record(name, ttl, address));
  }
};

namespace {

constexpr std::uint16_t kOurUdpSize = 1232;   // what a server takes (https://www.dnsflagday.net/2020/)
constexpr std::size_t kMostRebound = 10'000;  // names; whoever asks for more of them begins anew
constexpr std::uint16_t kAnyClass = 255;

DnsMessage answer_to(const DnsMessage& query) {
  DnsMessage message;
  message.id = query.id;
  message.opcode = query.opcode;
  message.response = true;
  message.recursion_desired = query.recursion_desired;
  message.checking_disabled = query.checking_disabled;
  message.recursion_available = true;
  message.questions = query.questions;
  if (query.edns) message.edns = {kOurUdpSize, 0, query.edns->dnssec_ok, ""};
  return message;
}

// FORMERR without a question (RFC 1035 4.1.1): of a header that can be read and is none of an answer, which must not be answered.
std::string format_error(std::string_view query) {
  if (query.size() < kDnsHeader || (query[2] & '\x80') != 0) return {};
  DnsMessage message;
  message.id = static_cast<std::uint16_t>(static_cast<std::uint8_t>(query[0]) << 8 | static_cast<std::uint8_t>(query[1]));
  message.opcode = static_cast<std::uint8_t>(static_cast<std::uint8_t>(query[2]) >> 3 & 0xf);
  message.response = true;
  message.code = DnsCode::FormErr;
  return encode_dns(message, kDnsLeastUdp);
}

// Why a message, whole as it is, is not to be answered by rules; nothing: it is.
std::optional<std::pair<std::string, DnsCode>> wrong_query(const DnsMessage& query) {
  if (query.opcode != 0) return std::pair{"an opcode that is not QUERY: " + std::to_string(query.opcode), DnsCode::NotImp};
  if (query.questions.size() != 1)  // RFC 9619
    return std::pair{"a query of " + std::to_string(query.questions.size()) + " questions", DnsCode::FormErr};
  if (query.edns && query.edns->version != 0) return std::pair{std::string("a version of EDNS that is not 0"), DnsCode::BadVers};
  const auto klass = query.questions[0].klass;
  if (klass != kDnsInternet && klass != kAnyClass) return std::pair{"a question of class " + std::to_string(klass), DnsCode::Refused};
  return std::nullopt;
}

// An answer whose record's name points to itself: the pointer is the first thing after the question.
std::string looped(const DnsMessage& message) {
  auto bare = message;
  bare.answers.clear(), bare.authorities.clear(), bare.edns.reset();
  auto bytes = encode_dns(bare, kDnsLeastUdp);
  const auto here = bytes.size();
  bytes[7] = 1;  // ANCOUNT
  bytes += static_cast<char>(0xc0 | here >> 8);
  bytes += static_cast<char>(here);
  bytes.append("\0\1\0\1\0\0\0\0\0\4", 10);
  bytes.append("\xc6\x12\0\1", 4);
  return bytes;
}

}  // namespace

std::string to_string(DnsTransport transport) { return transport == DnsTransport::Udp ? "udp" : "tcp"; }

DnsReply DnsResponder::reply(std::string_view query, DnsTransport transport) {
  DnsReply reply;
  const auto parsed = parse_dns(query);
  if (!parsed.message) {
    reply.problem = parsed.problem;
    reply.bytes = format_error(query);
    reply.answered = reply.bytes.empty() ? "nothing" : "FORMERR";
    return reply;
  }
  reply.id = parsed.message->id;
  if (!parsed.message->questions.empty()) reply.question = parsed.message->questions[0];
  if (parsed.message->response) {
    reply.problem = "an answer, not a query";
    reply.answered = "nothing";
    return reply;
  }
  auto message = answer_to(*parsed.message);
  const std::size_t udp = parsed.message->edns ? parsed.message->edns->udp_size : 0;
  const auto limit = transport == DnsTransport::Tcp ? kDnsMostTcp : std::clamp<std::size_t>(udp, kDnsLeastUdp, kOurUdpSize);
  if (auto wrong = wrong_query(*parsed.message)) {
    reply.problem = wrong->first;
    message.code = wrong->second;
    reply.answered = to_string(message.code);
    if (message.code == DnsCode::BadVers && message.edns) message.edns->version = 0;
    reply.bytes = encode_dns(message, limit);
    return reply;
  }
  const auto& question = parsed.message->questions[0];
  const auto found = rules_.find(question.name);
  reply.delay = found.rule.delay;
  if (!found.pattern.empty()) reply.rule = to_string(found.rule.kind) + " for '" + found.pattern + "'";
  Work work{question, std::move(message), reply};
  answer(work, found);
  using enum DnsRule::Kind;
  switch (found.rule.kind) {
    case Silence:
      reply.answered = "nothing";
      return reply;
    case CompressionLoop:
      reply.answered = "a name that points to itself";
      reply.bytes = looped(work.message);
      return reply;
    case Truncated:
      if (transport == DnsTransport::Tcp) break;
      work.message.answers.clear(), work.message.authorities.clear(), reply.addresses.clear();
      work.message.truncated = true;
      reply.answered = "truncated";
      break;
    case WrongId:
      work.message.id ^= 0x5555;
      reply.answered += " with a wrong id";
      break;
    default:
      break;
  }
  reply.bytes = encode_dns(work.message, limit);
  if (found.rule.kind != Truncated && (reply.bytes[2] & 2) != 0) reply.answered = "truncated", reply.addresses.clear();
  return reply;
}

DnsReply DnsResponder::silence(std::string_view query) {
  DnsReply reply;
  const auto parsed = parse_dns(query);
  if (parsed.message) {
    reply.id = parsed.message->id;
    if (!parsed.message->questions.empty()) reply.question = parsed.message->questions[0];
    if (parsed.message->response) reply.problem = "an answer, not a query";
  } else {
    reply.problem = parsed.problem;
  }
  reply.answered = "nothing";
  reply.rule = "silence of the server";
  return reply;
}

void DnsResponder::answer(Work& work, const DnsRules::Found& found) {
  const auto& rule = found.rule;
  const auto& name = work.question.name;
  using enum DnsRule::Kind;
  switch (rule.kind) {
    case NxDomain:
      work.message.code = DnsCode::NxDomain;
      break;
    case ServFail:
      work.message.code = DnsCode::ServFail;
      break;
    case Refused:
      work.message.code = DnsCode::Refused;
      break;
    case Address:
    case Spoof:
      work.add_addresses(name, rule.addresses, rule.ttl);
      break;
    case Rebind: {
      const bool again = asked_before(work.question, found.number);
      work.add_addresses(name, again ? rule.then : rule.addresses, again ? rule.ttl : 0);
      break;
    }
    case Silence:
    case CompressionLoop:
      return;
    default:
      own_records(work, rule);
  }
  auto& message = work.message;
  message.authoritative = message.code == DnsCode::NoError || message.code == DnsCode::NxDomain;
  // "There is none" is remembered by its SOA record (RFC 2308 2).
  if (message.answers.empty() && message.authoritative) message.authorities.push_back(soa_record(DnsName(), rule.ttl));
  if (message.code != DnsCode::NoError)
    work.reply.answered = work.reply.answered.empty() ? to_string(message.code) : work.reply.answered;
  else if (message.answers.empty())
    work.reply.answered = "no such record";
}

void DnsResponder::own_records(Work& work, const DnsRule& rule) {
  const DnsRecord* alias = nullptr;
  for (const auto& record : rule.records) {
    if (work.wants(record.type)) work.add(record);
    if (record.type == DnsType::Cname) alias = &record;
  }
  if (!work.message.answers.empty()) return;
  if (alias != nullptr) {
    work.add(*alias);
    own_addresses(work, DnsName::of_wire(alias->data), rule.ttl);
  } else if (const auto address = reverse_address(work.question.name)) {
    reverse(work, rule);
  } else if (rule.records.empty()) {
    own_addresses(work, work.question.name, rule.ttl);
  }
}

void DnsResponder::own_addresses(Work& work, const DnsName& name, std::uint32_t ttl) {
  const bool v6 = ipv6_ && work.wants(DnsType::Aaaa);
  if (name.is_root() || (!work.wants(DnsType::A) && !v6)) return;
  const auto own = names_.addresses(name);
  if (!own) {
    work.message.code = DnsCode::ServFail;
    work.reply.answered = "SERVFAIL: no address is left for one more name";
    return;
  }
  work.add_addresses(name, {own->v4}, ttl);
  if (v6) work.add_addresses(name, {own->v6}, ttl);
}

void DnsResponder::reverse(Work& work, const DnsRule& rule) {
  const auto address = reverse_address(work.question.name);
  const auto name = address ? names_.name_of(*address) : std::nullopt;
  if (!name)
    work.message.code = DnsCode::NxDomain;
  else if (work.wants(DnsType::Ptr))
    work.add(name_record(work.question.name, DnsType::Ptr, rule.ttl, DnsName::of(*name)));
}

bool DnsResponder::asked_before(const DnsQuestion& question, std::uint64_t setting) {
  if (rebound_.size() >= kMostRebound) rebound_.clear();
  const auto key = question.name.folded() + to_string(question.type);
  return std::exchange(rebound_[key], setting) == setting;
}

}  // namespace hilcop::services
