// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "network/services/dns_message.h"

namespace hilcop::services {
namespace {

constexpr std::size_t kMostPointers = 127;  // a name has no more labels

class DnsReader {
 public:
  explicit DnsReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  std::size_t at() const { return at_; }

  std::uint32_t number(std::size_t size) {
    if (!ok() || bytes_.size() - at_ < size) return wrong("it ends within a number");
    std::uint32_t value = 0;
    for (; size > 0; --size) value = value << 8 | static_cast<std::uint8_t>(bytes_[at_++]);
    return value;
  }
  std::uint16_t number16() { return static_cast<std::uint16_t>(number(2)); }

  std::string text(std::size_t size) {
    if (!ok() || bytes_.size() - at_ < size) return wrong("it ends within a record's data"), std::string();
    return std::string(bytes_.substr(std::exchange(at_, at_ + size), size));
  }

  // A pointer leads to before the place where what is read began, so that there is an end to them (RFC 1035 4.1.4: "a prior occurance").
  DnsName name() {
    DnsName found;
    std::size_t here = at_, begin = at_, pointers = 0;
    while (ok()) {
      if (here >= bytes_.size()) return wrong("it ends within a name"), found;
      const auto length = static_cast<std::uint8_t>(bytes_[here]);
      if (length >= 0xc0) {
        if (here + 1 >= bytes_.size()) return wrong("it ends within a pointer"), found;
        const std::size_t target = (length & 0x3fu) << 8 | static_cast<std::uint8_t>(bytes_[here + 1]);
        if (target >= begin) return wrong("a pointer that does not point back"), found;
        if (pointers++ == 0) at_ = here + 2;
        if (pointers > kMostPointers) return wrong("a name of more pointers than labels"), found;
        here = begin = target;
      } else if (length > 63) {
        return wrong("a label of a kind that is not used"), found;
      } else if (length == 0) {
        if (pointers == 0) at_ = here + 1;
        return found;
      } else {
        if (bytes_.size() - here <= length) return wrong("it ends within a label"), found;
        if (!found.add_label(bytes_.substr(here + 1, length))) return wrong("a name of over 255 bytes"), found;
        here += 1u + length;
      }
    }
    return found;
  }

  DnsRecord record() {
    DnsRecord found;
    found.name = name();
    found.type = static_cast<DnsType>(number16());
    found.klass = number16();
    found.ttl = number(4);
    const std::size_t size = number16();
    if (!ok()) return found;
    if (bytes_.size() - at_ < size) return wrong("it ends within a record's data"), found;
    const auto end = at_ + size;
    if (size > 0) found.data = data(found.type, end);  // empty ones are for updates (RFC 2136 2.4)
    if (ok() && at_ != end) wrong("a record whose data has another length than it says");
    return found;
  }

  std::uint32_t wrong(const char* what) {
    if (ok()) problem_ = fmt::format("byte {}: {}", at_, what);
    return 0;
  }

 private:
  // Names within data are compressed in these types alone (RFC 3597 4).
  std::string data(DnsType type, std::size_t end) {
    switch (type) {
      case DnsType::Ns:
      case DnsType::Cname:
      case DnsType::Ptr:
      case DnsType::Dname:
        return name().wire();
      case DnsType::Mx: {
        const auto preference = text(2);
        return preference + name().wire();
      }
      case DnsType::Srv: {
        const auto numbers = text(6);
        return numbers + name().wire();
      }
      case DnsType::Soa: {
        const auto server = name().wire(), mailbox = name().wire();
        return server + mailbox + text(20);
      }
      case DnsType::A:
        return text(4);
      case DnsType::Aaaa:
        return text(16);
      default:
        return text(end - at_);
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::string problem_;
};

// OPT keeps its size in the class, and code, version and flags in the time to live (RFC 6891 6.1.2).
bool take_edns(DnsMessage& message, const DnsRecord& record) {
  if (message.edns || !record.name.is_root()) return false;
  message.edns = {record.klass, static_cast<std::uint8_t>(record.ttl >> 16), (record.ttl & 0x8000u) != 0, record.data};
  message.code = static_cast<DnsCode>((record.ttl >> 24) << 4 | static_cast<std::uint16_t>(message.code));
  return true;
}

}  // namespace

DnsParse parse_dns(std::string_view bytes) {
  DnsReader reader(bytes);
  DnsMessage message;
  message.id = reader.number16();
  const auto flags = reader.number16();
  message.response = (flags & 0x8000) != 0;
  message.opcode = static_cast<std::uint8_t>(flags >> 11 & 0xf);
  message.authoritative = (flags & 0x0400) != 0;
  message.truncated = (flags & 0x0200) != 0;
  message.recursion_desired = (flags & 0x0100) != 0;
  message.recursion_available = (flags & 0x0080) != 0;
  message.authentic_data = (flags & 0x0020) != 0;
  message.checking_disabled = (flags & 0x0010) != 0;
  message.code = static_cast<DnsCode>(flags & 0xf);
  const std::size_t questions = reader.number16();
  const std::size_t counts[] = {reader.number16(), reader.number16(), reader.number16()};
  for (std::size_t i = 0; i < questions && reader.ok(); ++i) {
    DnsQuestion question;
    question.name = reader.name();
    question.type = static_cast<DnsType>(reader.number16());
    question.klass = reader.number16();
    message.questions.push_back(std::move(question));
  }
  std::vector<DnsRecord>* const sections[] = {&message.answers, &message.authorities, &message.additionals};
  for (std::size_t section = 0; section < 3; ++section)
    for (std::size_t i = 0; i < counts[section] && reader.ok(); ++i) {
      auto record = reader.record();
      if (record.type != DnsType::Opt)
        sections[section]->push_back(std::move(record));
      else if (reader.ok() && (section != 2 || !take_edns(message, record)))
        reader.wrong("an OPT record that is not the only one, or not in its place");
    }
  if (reader.ok() && reader.at() != bytes.size()) reader.wrong("there is something after the message");
  if (!reader.ok()) return {std::nullopt, reader.problem()};
  return {std::move(message), ""};
}

}  // namespace hilcop::services
