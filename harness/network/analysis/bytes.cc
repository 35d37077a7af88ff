// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/bytes.h"

namespace hilcop::analysis {

std::string ascii_of(std::string_view text, std::size_t most) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string shown;
  for (const unsigned char c : text) {
    if (shown.size() >= most) return shown + "...";
    if (c >= 0x20 && c < 0x7f && c != '\\')
      shown += static_cast<char>(c);
    else if (c == '\\')
      shown += "\\\\";
    else
      shown += {'\\', 'x', kDigits[c >> 4], kDigits[c & 15]};
  }
  return shown;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

}  // namespace hilcop::analysis
