// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "network/services/dns_message.h"

namespace hilcop::services {
namespace {

class DnsWriter {
 public:
  explicit DnsWriter(std::size_t limit) : limit_(limit) {}

  void number(std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) out_ += static_cast<char>(value >> (8 * i));
  }

  void name(const DnsName& name) {
    std::string_view rest = name.wire();
    for (; rest.size() > 1; rest.remove_prefix(1u + static_cast<std::uint8_t>(rest[0]))) {
      const std::string suffix(rest);
      if (const auto known = places_.find(suffix); known != places_.end()) return number(0xc000u | known->second, 2);
      if (out_.size() < 0x4000) places_.emplace(suffix, out_.size());
      out_ += rest.substr(0, 1u + static_cast<std::uint8_t>(rest[0]));
    }
    out_ += '\0';
  }

  void record(const DnsRecord& record) {
    name(record.name);
    number(static_cast<std::uint16_t>(record.type), 2);
    number(record.klass, 2);
    number(record.ttl, 4);
    const auto data = std::string_view(record.data).substr(0, 0xffff);
    number(data.size(), 2);
    out_ += data;
  }

  bool over() const { return out_.size() > limit_; }
  std::string take() { return std::move(out_); }

 private:
  std::size_t limit_;
  std::string out_;
  std::unordered_map<std::string, std::size_t> places_;
};

std::uint16_t flags_of(const DnsMessage& message, bool truncated) {
  unsigned flags = (message.opcode & 0xfu) << 11 | (static_cast<unsigned>(message.code) & 0xfu);
  if (message.response) flags |= 0x8000;
  if (message.authoritative) flags |= 0x0400;
  if (message.truncated || truncated) flags |= 0x0200;
  if (message.recursion_desired) flags |= 0x0100;
  if (message.recursion_available) flags |= 0x0080;
  if (message.authentic_data) flags |= 0x0020;
  if (message.checking_disabled) flags |= 0x0010;
  return static_cast<std::uint16_t>(flags);
}

DnsRecord record_of(const DnsEdns& edns, DnsCode code) {
  const std::uint32_t ttl =
      (static_cast<std::uint32_t>(code) >> 4 & 0xffu) << 24 | std::uint32_t{edns.version} << 16 | (edns.dnssec_ok ? 0x8000u : 0);
  return {DnsName(), DnsType::Opt, edns.udp_size, ttl, edns.options};
}

std::string encoded(const DnsMessage& message, std::size_t limit, bool with_records) {
  DnsWriter writer(limit);
  const auto count = [&](const std::vector<DnsRecord>& records) { return with_records ? records.size() : 0; };
  writer.number(message.id, 2);
  writer.number(flags_of(message, !with_records), 2);
  writer.number(message.questions.size(), 2);
  writer.number(count(message.answers), 2);
  writer.number(count(message.authorities), 2);
  writer.number(count(message.additionals) + (message.edns ? 1 : 0), 2);
  for (const auto& question : message.questions) {
    writer.name(question.name);
    writer.number(static_cast<std::uint16_t>(question.type), 2);
    writer.number(question.klass, 2);
  }
  if (with_records)
    for (const auto* section : {&message.answers, &message.authorities, &message.additionals})
      for (const auto& record : *section) {
        writer.record(record);
        if (writer.over()) return {};
      }
  if (message.edns) writer.record(record_of(*message.edns, message.code));
  return writer.over() ? std::string() : writer.take();
}

}  // namespace

std::string encode_dns(const DnsMessage& message, std::size_t limit) {
  limit = std::clamp(limit, kDnsLeastUdp, kDnsMostTcp);
  if (auto whole = encoded(message, limit, true); !whole.empty()) return whole;
  if (auto cut = encoded(message, limit, false); !cut.empty()) return cut;
  // Not even its questions and options have room.
  DnsMessage head = message;
  head.questions.clear();
  if (head.edns) head.edns->options.clear();
  return encoded(head, limit, false);
}

}  // namespace hilcop::services
