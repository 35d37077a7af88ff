// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "network/analysis/http1.h"

namespace hilcop::analysis {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

constexpr std::size_t kMostFields = 256;

}  // namespace

std::string HttpHead::value(std::string_view name) const {
  std::string all;
  for (const auto& [key, value] : fields)
    if (key == name) all += (all.empty() ? "" : ", ") + value;
  return all;
}

std::optional<HttpHead> parse_http_head(std::string_view text) {
  HttpHead head;
  bool first = true;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(first, false)) {
      head.start = line;
      continue;
    }
    if (line.empty()) break;
    if ((line[0] == ' ' || line[0] == '\t') && !head.fields.empty()) {  // 5.2: folded, as old ones do
      head.fields.back().second += " " + std::string(trimmed(line));
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || head.fields.size() == kMostFields) return std::nullopt;
    head.fields.emplace_back(lower_case(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
  }
  if (head.start.empty()) return std::nullopt;
  return head;
}

std::optional<std::string> decoded_base64(std::string_view text) {
  std::string decoded;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    int value = 0;
    if (c >= 'A' && c <= 'Z')
      value = c - 'A';
    else if (c >= 'a' && c <= 'z')
      value = c - 'a' + 26;
    else if (c >= '0' && c <= '9')
      value = c - '0' + 52;
    else if (c == '+' || c == '-')
      value = 62;
    else if (c == '/' || c == '_')
      value = 63;
    else if (c == '=')
      break;
    else
      return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded += static_cast<char>(bits >> count);
    }
  }
  return decoded;
}

std::optional<BasicCredential> basic_credential(std::string_view field) {
  if (field.size() < 6 || lower_case(field.substr(0, 6)) != "basic ") return std::nullopt;
  const auto decoded = decoded_base64(trimmed(field.substr(6)));
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredential{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

}  // namespace hilcop::analysis
