// SPDX-License-Identifier: Apache-2.0
#include "console/text.h"

#include <algorithm>

#include "console/readable_log.h"

namespace hilcop {
std::size_t kernel_stamp(std::string_view s) {
  std::size_t i = 0;
  const auto blanks = [&] {
    while (i < s.size() && s[i] == ' ') ++i;
  };
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
    return i - begin;
  };
  if (s.empty() || s[i++] != '[') return 0;
  blanks();
  if (digits() == 0 || i >= s.size() || s[i] != '.') return 0;
  ++i;
  if (digits() != 6 || i >= s.size() || s[i++] != ']') return 0;
  if (i < s.size() && s[i] == '[') {  // who said it: a task or a processor (CONFIG_PRINTK_CALLER)
    ++i;
    blanks();
    if (i >= s.size() || (s[i] != 'T' && s[i] != 'C')) return 0;
    ++i;
    if (digits() == 0 || i >= s.size() || s[i++] != ']') return 0;
  }
  return i < s.size() && s[i] == ' ' ? i + 1 : 0;
}

std::string printable(std::string_view bytes, std::size_t most) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char raw : bytes.substr(0, most)) {
    const auto c = static_cast<unsigned char>(raw);
    if (c >= 0x20 && c < 0x7F)
      out += raw;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else
      out += {'\\', 'x', digits[c >> 4], digits[c & 15]};
  }
  return bytes.size() > most ? out + "..." : out;
}

std::string line_around(std::string_view text, std::size_t begin, std::size_t end) {
  const auto before = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
  const std::size_t from = std::max(before == std::string_view::npos ? 0 : before + 1, begin > 250 ? begin - 250 : 0);
  const auto after = text.find('\n', end == 0 ? 0 : end - 1);
  std::string_view line = text.substr(from, (after == std::string_view::npos ? text.size() : after) - from);
  while (line.ends_with('\r') || line.ends_with('\n')) line.remove_suffix(1);
  return printable(line, 500);
}

std::string last_lines(std::string_view text, std::size_t lines) {
  text = text.substr(text.size() > 2000 ? text.size() - 2000 : 0);
  std::size_t from = text.size();
  for (std::size_t n = 0; n < lines && from > 0; ++n) {
    const auto end = text.rfind('\n', from - 1);
    from = end == std::string_view::npos ? 0 : end;
  }
  std::string out;
  std::string_view rest = text.substr(from);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) out += (out.empty() ? "" : "\n  | ") + printable(line, 400);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return out;
}

std::string without_kernel_lines(std::string_view text, std::string* kernel) {
  std::string out;
  while (!text.empty()) {
    const auto bracket = text.find('[');
    out += text.substr(0, bracket);
    if (bracket == std::string_view::npos) break;
    text.remove_prefix(bracket);
    if (kernel_stamp(text) == 0) {
      out += '[';
      text.remove_prefix(1);
      continue;
    }
    const auto end = text.find('\n');
    if (kernel != nullptr) kernel->append(text.substr(0, end)).append("\n");
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (kernel != nullptr) std::erase(*kernel, '\r');
  return out;
}

std::string without_carriage_returns(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 >= text.size() || text[i + 1] != '\n') out += text[i];
  return out;
}

}  // namespace hilcop
