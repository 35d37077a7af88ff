// SPDX-License-Identifier: Apache-2.0
#include "console/readable_log.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include <fmt/compile.h>
#include <fmt/format.h>

namespace hilcop {
namespace {

constexpr std::size_t kLongest = 4096;

bool plain(char c) { return c >= 0x20 && c < 0x7F; }

// How much of the text is printable ASCII from its begin on. Sixteen at a time without a branch, which the compiler makes one step.
std::size_t plain_run(std::string_view s) {
  std::size_t n = 0;
  for (; n + 16 <= s.size(); n += 16) {
    unsigned char odd = 0;
    for (std::size_t i = 0; i < 16; ++i) odd |= static_cast<unsigned char>(s[n + i] - 0x20) >= 0x5F;
    if (odd != 0) break;
  }
  while (n < s.size() && plain(s[n])) ++n;
  return n;
}

// Length of the well-formed UTF-8 sequence at the begin (RFC 3629, table of well-formed byte sequences); 0: ill-formed;
// -1: cut off, more bytes may complete it.
int sequence_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const int length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
  for (int i = 1; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= s.size()) return -1;
    unsigned char low = 0x80, high = 0xBF;
    if (i == 1 && lead == 0xE0) low = 0xA0;
    if (i == 1 && lead == 0xED) high = 0x9F;
    if (i == 1 && lead == 0xF0) low = 0x90;
    if (i == 1 && lead == 0xF4) high = 0x8F;
    if (byte(static_cast<std::size_t>(i)) < low || byte(static_cast<std::size_t>(i)) > high) return 0;
  }
  return length;
}

}  // namespace

void ReadableLog::begin_line(SteadyTime at) {
  if (first_ == SteadyTime{}) first_ = at;
  // A gap that began before the first byte stands at the begin.
  const auto since = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(at - first_).count());
  fmt::format_to(std::back_inserter(out_), FMT_COMPILE("[+{}.{:06}] "), since / 1'000'000, since % 1'000'000);
  in_line_ = true;
  column_ = 0;
}

void ReadableLog::append(std::string_view bytes, SteadyTime at) {
  if (partial_.empty()) return put(bytes, at);
  const std::string joined = std::exchange(partial_, "") + std::string(bytes);
  put(joined, at);
}

void ReadableLog::put(std::string_view bytes, SteadyTime at) {
  while (!bytes.empty()) {
    if (bytes[0] == '\n') {
      if (!in_line_) begin_line(at);
      out_ += '\n';
      in_line_ = false;
      bytes.remove_prefix(1);
      continue;
    }
    if (!in_line_) begin_line(at);
    if (column_ >= kLongest) {
      out_ += '\n';
      begin_line(at);
      out_ += '\\';
    }
    const std::size_t taken = take_character(bytes);
    if (taken == 0) {
      partial_ = bytes;
      return;
    }
    bytes.remove_prefix(taken);
  }
}

std::size_t ReadableLog::take_character(std::string_view bytes) {
  const auto c = static_cast<unsigned char>(bytes[0]);
  if (c == '\r') return 1;  // the stamp begins each line anyway
  if (c == '\t' || plain(bytes[0])) {
    // A run of plain text at once: this is nearly all there is.
    const std::size_t n = 1 + plain_run(bytes.substr(1, kLongest - column_ - 1));
    out_.append(bytes.substr(0, n));
    column_ += n;
    return n;
  }
  const int length = sequence_length(bytes);
  if (length < 0) return 0;
  if (length > 1) {
    out_.append(bytes.substr(0, static_cast<std::size_t>(length)));
    ++column_;
    return static_cast<std::size_t>(length);
  }
  out_ += fmt::format("\\x{:02x}", c);
  column_ += 4;
  return 1;
}

void ReadableLog::note(std::string_view text, SteadyTime at) {
  if (in_line_) out_ += '\n';
  begin_line(at);
  out_ += "--- ";
  out_ += text;
  out_ += " ---\n";
  in_line_ = false;
}

}  // namespace hilcop
