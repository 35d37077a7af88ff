// SPDX-License-Identifier: Apache-2.0
#include "console/boot_lines.h"

#include <algorithm>

#include "console/text.h"

namespace hilcop {
namespace {

constexpr std::size_t kLongest = 4096;
constexpr std::size_t kMostLines = 500'000;

std::size_t find_stamp(std::string_view bytes, std::size_t from) {
  for (auto at = bytes.find('[', from); at != std::string_view::npos; at = bytes.find('[', at + 1))
    if (kernel_stamp(bytes.substr(at)) > 0) return at;
  return std::string_view::npos;
}

}  // namespace

BootLines::BootLines(BootLog& boot) : boot_(boot), noise_(boot.noise), at_(boot.span.begin), piece_begin_(boot.span.begin) {}

bool BootLines::append(std::string_view bytes) {
  while (!bytes.empty() && boot_.lines.size() < kMostLines) {
    // Where the bench begins to talk a line ends: the echo is not the boot's.
    if (at_ == boot_.talk_from) end();
    std::size_t most = std::min(bytes.size(), kLongest - piece_.size());
    if (at_ < boot_.talk_from) most = static_cast<std::size_t>(std::min<std::uint64_t>(most, boot_.talk_from - at_));
    const auto stop = bytes.substr(0, most).find_first_of("\r\n");
    const std::size_t taken = stop == std::string_view::npos ? most : stop;
    piece_.append(bytes.substr(0, taken));
    at_ += taken;
    bytes.remove_prefix(taken);
    if (stop != std::string_view::npos) {
      finish_piece(true, at_);
      ++at_;
      bytes.remove_prefix(1);
      piece_begin_ = at_;
    } else if (piece_.size() >= kLongest) {
      finish_piece(true, at_);
    }
  }
  return bytes.empty();
}

void BootLines::end() {
  finish_piece(false, at_);
  if (!held_.empty()) add(held_, {held_begin_, at_}, false);
  held_.clear();
}

void BootLines::finish_piece(bool whole, std::uint64_t end) {
  const std::string piece = std::exchange(piece_, "");
  const std::uint64_t begin = std::exchange(piece_begin_, end);
  if (piece.empty()) return;
  auto stamp = find_stamp(piece, 0);
  if (stamp > 0) {  // text that the kernel did not say, up to where it cuts in, or all of the piece
    const auto own = std::string_view(piece).substr(0, stamp);
    if (held_.empty()) held_begin_ = begin;
    held_ += own;
    if (stamp == std::string::npos || held_.size() >= kLongest) {
      add(held_, {held_begin_, begin + own.size()}, whole);
      held_.clear();
    }
  }
  while (stamp != std::string::npos) {
    const auto next = find_stamp(piece, stamp + 1);
    const auto message = std::string_view(piece).substr(stamp, next == std::string::npos ? next : next - stamp);
    add(message, {begin + stamp, begin + stamp + message.size()}, whole || next != std::string::npos);
    stamp = next;
  }
}

void BootLines::add(std::string_view bytes, ByteSpan span, bool whole) {
  BootLine line;
  line.text = boot_text(bytes);
  if (line.text.find_first_not_of(' ') == std::string::npos) return;
  line.normal = noise_.normal(line.text);
  line.span = span;
  line.kernel = kernel_stamp(bytes) > 0;
  line.whole = whole;
  line.compared = span.begin < boot_.talk_from;
  boot_.lines.push_back(std::move(line));
}

}  // namespace hilcop
