// SPDX-License-Identifier: Apache-2.0
#include "network/services/dns_name.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace hilcop::services {
namespace {

constexpr std::size_t kLongestName = 255, kLongestLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The byte that begins at text[at], which goes on to its end; -1: an escape that is none (RFC 1035 5.1).
int unescaped(std::string_view text, std::size_t& at) {
  if (text[at] != '\\') return static_cast<unsigned char>(text[at]);
  if (at + 1 >= text.size()) return -1;
  if (!is_digit(text[at + 1])) return static_cast<unsigned char>(text[++at]);
  if (at + 3 >= text.size() || !is_digit(text[at + 2]) || !is_digit(text[at + 3])) return -1;
  const int value = (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
  at += 3;
  return value > 255 ? -1 : value;
}

}  // namespace

DnsName DnsName::of(std::string_view text) {
  const auto wrong = [&](const char* why) {
    return Error(ErrorKind::Config, "name '" + std::string(text.substr(0, kLongestName)) + "'", why, "write it like www.example.com");
  };
  DnsName name;
  if (text.empty()) throw wrong("is empty");
  if (text == ".") return name;
  std::string label;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at == text.size() || text[at] == '.') {
      if (at == text.size() && label.empty()) break;  // after the last dot
      if (!name.add_label(label)) throw wrong("has an empty label, one of over 63 bytes, or over 255 bytes");
      label.clear();
      continue;
    }
    const int byte = unescaped(text, at);
    if (byte < 0) throw wrong("has a backslash that stands for no byte");
    label += static_cast<char>(byte);
  }
  return name;
}

DnsName DnsName::of_wire(std::string wire) {
  DnsName name;
  name.wire_ = std::move(wire);
  return name;
}

bool DnsName::add_label(std::string_view label) {
  if (label.empty() || label.size() > kLongestLabel || wire_.size() + 1 + label.size() > kLongestName) return false;
  wire_.back() = static_cast<char>(label.size());
  wire_ += label;
  wire_ += '\0';
  return true;
}

std::vector<std::string_view> DnsName::labels() const {
  std::vector<std::string_view> found;
  const std::string_view wire = wire_;
  for (std::size_t at = 0; at + 1 < wire.size(); at += 1 + static_cast<unsigned char>(wire[at]))
    found.push_back(wire.substr(at + 1, static_cast<unsigned char>(wire[at])));
  return found;
}

std::string DnsName::folded() const {
  auto folded = wire_;
  for (char& byte : folded)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');  // a label's length is below 'A'
  return folded;
}

std::string DnsName::text() const {
  if (is_root()) return ".";
  std::string text;
  for (const auto label : labels()) {
    if (!text.empty()) text += '.';
    for (const char byte : label) {
      if (byte == '.' || byte == '\\') text += '\\';
      if (byte > ' ' && byte < '\x7f')
        text += byte;
      else
        text += fmt::format("\\{:03}", static_cast<unsigned char>(byte));
    }
  }
  return text;
}

}  // namespace hilcop::services
