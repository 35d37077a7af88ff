// SPDX-License-Identifier: Apache-2.0
#include "network/services/dns_records.h"

#include <fmt/format.h>

#include <utility>

#include "network/services/hex.h"

namespace hilcop::services {
namespace {

std::string two_bytes(std::size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
std::string four_bytes(std::uint32_t value) { return two_bytes(value >> 16) + two_bytes(value & 0xffff); }

// A name out of data that parse_dns or a maker above has written; of any other the root.
std::string name_text(const std::string& data, std::size_t at) {
  std::size_t end = at;
  while (end < data.size() && data[end] != 0) end += 1u + static_cast<std::uint8_t>(data[end]);
  return end < data.size() ? DnsName::of_wire(data.substr(at, end + 1 - at)).text() : "?";
}

constexpr std::string_view kDigits = "0123456789abcdef";

int nibble(std::string_view label) {
  if (label.size() != 1) return -1;
  const char c = label[0] >= 'A' && label[0] <= 'F' ? static_cast<char>(label[0] - 'A' + 'a') : label[0];
  const auto found = kDigits.find(c);
  return found == std::string_view::npos ? -1 : static_cast<int>(found);
}

int octet(std::string_view label) {
  if (label.empty() || label.size() > 3 || (label.size() > 1 && label[0] == '0')) return -1;
  int value = 0;
  for (const char c : label) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value > 255 ? -1 : value;
}

}  // namespace

DnsRecord address_record(const DnsName& name, std::uint32_t ttl, const IpAddress& address) {
  return {name, address.is_v4() ? DnsType::A : DnsType::Aaaa, kDnsInternet, ttl, std::string(address.bytes())};
}

DnsRecord name_record(const DnsName& name, DnsType type, std::uint32_t ttl, const DnsName& target) {
  return {name, type, kDnsInternet, ttl, target.wire()};
}

DnsRecord txt_record(const DnsName& name, std::uint32_t ttl, std::string_view text) {
  std::string data;
  do {
    const auto part = text.substr(0, 255);
    data += static_cast<char>(part.size());
    data += part;
    text.remove_prefix(part.size());
  } while (!text.empty());
  return {name, DnsType::Txt, kDnsInternet, ttl, data};
}

DnsRecord srv_record(const DnsName& name, std::uint32_t ttl, const DnsName& target, std::uint16_t port) {
  return {name, DnsType::Srv, kDnsInternet, ttl, two_bytes(0) + two_bytes(0) + two_bytes(port) + target.wire()};
}

DnsRecord https_record(const DnsName& name, std::uint32_t ttl, const DnsName& target, const std::vector<std::string>& alpn) {
  std::string protocols;
  for (const auto& protocol : alpn) protocols += static_cast<char>(protocol.size()) + protocol;
  auto data = two_bytes(1) + target.wire();
  if (!protocols.empty()) data += two_bytes(1) + two_bytes(protocols.size()) + protocols;  // SvcParamKey 1: alpn
  return {name, DnsType::Https, kDnsInternet, ttl, data};
}

DnsRecord soa_record(const DnsName& zone, std::uint32_t ttl) {
  const auto server = DnsName::of("ns.hilcop.invalid"), mailbox = DnsName::of("bench.hilcop.invalid");
  const auto numbers = four_bytes(1) + four_bytes(3600) + four_bytes(600) + four_bytes(86400) + four_bytes(ttl);
  return {zone, DnsType::Soa, kDnsInternet, ttl, server.wire() + mailbox.wire() + numbers};
}

std::string to_text(const DnsRecord& record) {
  const auto type = to_string(record.type) + " ";
  const auto& data = record.data;
  switch (record.type) {
    case DnsType::A:
    case DnsType::Aaaa:
      if (const auto address = IpAddress::of_bytes(data)) return type + address->text();
      break;
    case DnsType::Ns:
    case DnsType::Cname:
    case DnsType::Ptr:
    case DnsType::Dname:
      return type + name_text(data, 0);
    case DnsType::Mx:
      return type + name_text(data, 2);
    case DnsType::Srv:
      if (data.size() < 7) break;
      return type + fmt::format("{}:{}", name_text(data, 6), static_cast<std::uint8_t>(data[4]) << 8 | static_cast<std::uint8_t>(data[5]));
    case DnsType::Soa:
      return type + name_text(data, 0);
    default:
      break;
  }
  return type + to_hex(std::string_view(data).substr(0, 32)) + (data.size() > 32 ? "..." : "");
}

std::optional<IpAddress> reverse_address(const DnsName& name) {
  const auto folded = DnsName::of_wire(name.folded());
  const auto labels = folded.labels();
  const auto count = labels.size();
  if (count < 2 || labels[count - 1] != "arpa") return std::nullopt;
  std::string bytes;
  if (labels[count - 2] == "in-addr" && count == 6) {
    for (std::size_t i = 4; i-- > 0;) {
      const int value = octet(labels[i]);
      if (value < 0) return std::nullopt;
      bytes += static_cast<char>(value);
    }
  } else if (labels[count - 2] == "ip6" && count == 34) {
    for (std::size_t i = 16; i-- > 0;) {
      const int high = nibble(labels[2 * i + 1]), low = nibble(labels[2 * i]);
      if (high < 0 || low < 0) return std::nullopt;
      bytes += static_cast<char>(high << 4 | low);
    }
  }
  return IpAddress::of_bytes(bytes);
}

DnsName reverse_name(const IpAddress& address) {
  DnsName name;
  const auto bytes = address.bytes();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const auto value = static_cast<std::uint8_t>(bytes[i]);
    if (address.is_v4()) {
      name.add_label(std::to_string(value));
    } else {
      name.add_label(kDigits.substr(value & 0xf, 1));
      name.add_label(kDigits.substr(value >> 4, 1));
    }
  }
  name.add_label(address.is_v4() ? "in-addr" : "ip6");
  name.add_label("arpa");
  return name;
}

std::string to_string(DnsType type) {
  constexpr std::pair<DnsType, const char*> kTypes[] = {
      {DnsType::A, "A"},     {DnsType::Ns, "NS"},       {DnsType::Cname, "CNAME"}, {DnsType::Soa, "SOA"}, {DnsType::Ptr, "PTR"},
      {DnsType::Mx, "MX"},   {DnsType::Txt, "TXT"},     {DnsType::Aaaa, "AAAA"},   {DnsType::Srv, "SRV"}, {DnsType::Dname, "DNAME"},
      {DnsType::Opt, "OPT"}, {DnsType::Https, "HTTPS"}, {DnsType::Any, "ANY"}};
  for (const auto& [known, text] : kTypes)
    if (known == type) return text;
  return "TYPE" + std::to_string(static_cast<unsigned>(type));
}

std::string to_string(DnsCode code) {
  constexpr std::pair<DnsCode, const char*> kCodes[] = {
      {DnsCode::NoError, "NOERROR"}, {DnsCode::FormErr, "FORMERR"}, {DnsCode::ServFail, "SERVFAIL"}, {DnsCode::NxDomain, "NXDOMAIN"},
      {DnsCode::NotImp, "NOTIMP"},   {DnsCode::Refused, "REFUSED"}, {DnsCode::BadVers, "BADVERS"}};
  for (const auto& [known, text] : kCodes)
    if (known == code) return text;
  return "RCODE" + std::to_string(static_cast<unsigned>(code));
}

}  // namespace hilcop::services
