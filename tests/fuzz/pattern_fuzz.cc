// SPDX-License-Identifier: Apache-2.0
// A pattern, a zero byte, then text: whatever is accepted finds the same at any chunking, and never looks back before retry_from.
#include <cstdlib>

#include "base/error.h"
#include "console/pattern.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find('\0');
  if (cut == std::string::npos || cut > 200) return 0;
  try {
    const auto pattern = CompiledPattern::get(Pattern::regex(input.substr(0, cut)));
    const std::string text = input.substr(cut + 1);
    const auto whole = pattern->search(text, 0, true);
    if (whole.found && (whole.match.begin >= whole.match.end || whole.match.end > text.size())) std::abort();
    for (std::size_t from = 0, n = 1; n < text.size(); ++n) {
      const auto part = pattern->search(std::string_view(text).substr(0, n), from, false);
      if (part.found || part.retry_from < from || part.retry_from > n) {
        if (!part.found) std::abort();
        break;
      }
      from = part.retry_from;
      if (whole.found && whole.match.begin < from) std::abort();  // a match would be lost between two reads
    }
  } catch (const Error&) {
  }
  return 0;
}
