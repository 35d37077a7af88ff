// SPDX-License-Identifier: Apache-2.0
#include "console/window.h"

#include <algorithm>
#include <utility>

namespace hilcop {
namespace {

std::uint64_t with_context(std::uint64_t offset) { return offset - std::min<std::uint64_t>(offset, Window::kContext); }

}  // namespace

void Window::append(std::string_view bytes) {
  trim();  // before: a match that ends in the first of the new bytes looks back from there
  text_.append(bytes);
  if (end() - cursor_ <= kMaxUnjudged) return;
  cursor_ = end() - kMaxUnjudged / 2;
  overflowed_ = true;
}

void Window::trim() {
  std::uint64_t keep = end() > kLookBack ? end() - kLookBack : 0;
  if (!recorder_.recording()) keep = std::min(keep, with_context(cursor_));
  for (const auto need : needs_) keep = std::min(keep, with_context(need));
  // Seldom, and much at once: erasing moves the rest.
  if (keep <= begin_ || keep - begin_ < std::max(kLookBack, text_.size() / 2)) return;
  text_.erase(0, keep - begin_);
  begin_ = keep;
  if (text_.capacity() > (1u << 20) && text_.size() < text_.capacity() / 8) text_.shrink_to_fit();
}

std::string_view Window::from(std::uint64_t offset) const {
  const std::uint64_t skip = offset > begin_ ? offset - begin_ : 0;
  return std::string_view(text_).substr(std::min<std::uint64_t>(skip, text_.size()));
}

std::string Window::bytes(ByteSpan span) const {
  const std::string object = recorder_.name();
  if (span.begin > span.end || span.end > end())
    throw Error(ErrorKind::Config, object, "no such span of its bytes", "offsets end at offset()");
  if (span.end - span.begin > kMaxUnjudged) throw Error(ErrorKind::Config, object, "a span of over 64 MiB", "read it in parts");
  if (span.begin >= begin_) return text_.substr(span.begin - begin_, span.end - span.begin);
  if (!recorder_.recording())
    throw Error(ErrorKind::NotFound, object, "those bytes are not kept", "open the bench with a record directory");
  return recorder_.read(span);
}

bool Window::take_overflow() { return std::exchange(overflowed_, false); }

Window::Need::Need(Window& window, std::uint64_t from) : window_(window) {
  if (const auto first = with_context(from); first < window.begin_) {
    window.text_.insert(0, window.bytes({first, window.begin_}));
    window.begin_ = first;
  }
  place_ = window.needs_.insert(window.needs_.end(), from);
}

}  // namespace hilcop
