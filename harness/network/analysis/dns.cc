// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/dns.h"

#include <fmt/format.h>

#include "network/analysis/observations.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint16_t kA = 1, kNs = 2, kCname = 5, kPtr = 12, kTxt = 16, kAaaa = 28, kSrv = 33;
constexpr std::size_t kLongestName = 255, kMostRecords = 512;

// Reads a name at the cursor; its pointers (RFC 1035 4.1.4) must point backwards, so that it ends.
bool read_name(Bytes message, Cursor& in, std::string& name) {
  std::size_t limit = message.size();
  Cursor far(Bytes{});
  auto* at = &in;
  std::size_t base = 0, length = 0;
  for (;;) {
    const auto here = base + at->at();
    const auto size = at->u8();
    if (!at->ok()) return false;
    if (size == 0) break;
    if ((size & 0xc0) == 0xc0) {
      const std::size_t target = (size & 0x3fu) << 8 | at->u8();
      if (!at->ok() || target >= std::min(limit, here)) return false;
      limit = base = target;
      far = Cursor(message.subspan(target));
      at = &far;
      continue;
    }
    if ((size & 0xc0) != 0) return false;
    const auto label = at->take(size);
    length += size + 1u;
    if (!at->ok() || length > kLongestName) return false;
    if (!name.empty()) name += '.';
    for (const char c : chars_of(label)) {
      if (c == '.')
        name += "\\x2e";  // not to be taken for two labels
      else
        name += ascii_of(std::string_view(&c, 1));
    }
  }
  name = lower_case(name);
  return true;
}

std::string record_text(Bytes message, Cursor& in, std::uint16_t type, std::size_t size, bool& good) {
  std::string text;
  const auto end = in.at() + size;
  if (type == kTxt) {
    while (in.ok() && in.at() < end) {
      const auto piece = in.take(in.u8());
      text += (text.empty() ? "" : " ") + ascii_of(piece);
    }
  } else if (type == kSrv) {
    in.skip(4);
    const auto port = in.u16();
    good = read_name(message, in, text);
    text += fmt::format(":{}", port);
  } else {
    good = read_name(message, in, text);
  }
  good = good && in.ok() && in.at() == end;
  return text;
}

bool read_record(Bytes message, Cursor& in, std::vector<DnsRecord>& records) {
  DnsRecord record;
  if (!read_name(message, in, record.name)) return false;
  record.type = in.u16();
  in.u16();
  record.ttl_s = in.u32();
  const std::size_t size = in.u16();
  if (!in.ok() || size > in.left()) return false;
  bool good = true;
  if ((record.type == kA && size == 4) || (record.type == kAaaa && size == 16)) {
    record.address = IpAddress::of(in.take(size));
  } else if (record.type == kA || record.type == kAaaa) {
    return false;
  } else if (record.type == kCname || record.type == kPtr || record.type == kNs || record.type == kSrv || record.type == kTxt) {
    record.text = record_text(message, in, record.type, size, good);
  } else {
    in.skip(size);
  }
  if (records.size() < kMostRecords) records.push_back(std::move(record));
  return good && in.ok();
}

std::optional<DnsMessage> parse_dns_at(Bytes message, std::size_t& used) {
  Cursor in(message);
  DnsMessage made;
  made.id = in.u16();
  const auto flags = in.u16();
  made.response = (flags & 0x8000) != 0;
  made.truncated = (flags & 0x0200) != 0;
  made.code = flags & 15;
  const auto questions = in.u16();
  const std::size_t records = std::size_t{in.u16()} + in.u16() + in.u16();
  if (!in.ok()) return std::nullopt;
  for (std::size_t i = 0; i < questions; ++i) {
    DnsQuestion question;
    if (!read_name(message, in, question.name)) return std::nullopt;
    question.type = in.u16();
    in.u16();
    if (!in.ok()) return std::nullopt;
    if (made.questions.size() < kMostRecords) made.questions.push_back(std::move(question));
  }
  for (std::size_t i = 0; i < records; ++i)
    if (!read_record(message, in, made.answers)) return std::nullopt;
  used = in.at();
  return made;
}

}  // namespace

std::optional<DnsMessage> parse_dns(Bytes message) {
  std::size_t used = 0;
  return parse_dns_at(message, used);
}

bool looks_like_dns(Bytes message) {
  if (message.size() < 17) return false;
  Cursor in(message);
  in.u16();
  const auto flags = in.u16();
  const auto questions = in.u16();
  if ((flags & 0x7840) != 0 || questions != 1) return false;  // a plain query, and the zero bit
  std::size_t used = 0;
  const auto made = parse_dns_at(message, used);
  return made && used == message.size() && !made->questions[0].name.empty() && made->questions[0].type <= 256;
}

void DnsStream::data(Side side, Bytes bytes, std::uint64_t offset) {
  const auto i = index_of(side);
  if (lost_[i]) return;
  auto& held = held_[i];
  if (held.empty()) begin_[i] = offset;
  held += chars_of(bytes);
  std::size_t used = 0;
  for (;;) {
    Cursor in(bytes_of_text(std::string_view(held).substr(used)));
    const std::size_t size = in.u16();
    if (!in.ok() || size > in.left()) break;
    auto message = parse_dns(in.take(size));
    if (!message) {
      ++context_.observations().malformed["dns"];
    } else {
      message->seen = context_.seen(side, begin_[i] + used, begin_[i] + used + size + 2);
      context_.observations().add_dns(std::move(*message));
    }
    used += size + 2;
  }
  held.erase(0, used);
  begin_[i] += used;
}

void DnsStream::gap(Side side) {
  lost_[index_of(side)] = true;
  held_[index_of(side)].clear();
}

}  // namespace hilcop::analysis
