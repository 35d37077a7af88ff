// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "console/console.h"
#include "console/recorder.h"

namespace hilcop {

/// The newest bytes of a console's stream in memory, and the cursor: what is before it is judged no more. Older bytes are read
/// back from the recording when they are wanted; without a recording everything unjudged is kept. Either way what nobody judged
/// may grow to 64 MiB, then its beginning is given up. Not thread-safe.
class Window {
 public:
  /// Never fewer bytes than this before the newest: what watchers may look back on.
  static constexpr std::size_t kLookBack = 16 * 1024;
  static constexpr std::size_t kMaxUnjudged = 64u << 20;
  /// Kept before whatever is kept, so that `^`, `\b` and a look-behind see what stood there.
  static constexpr std::size_t kContext = 1024;

  explicit Window(Recorder& recorder) : recorder_(recorder), begin_(recorder.size()), cursor_(begin_) {}

  void append(std::string_view bytes);
  std::string_view text() const { return text_; }
  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return begin_ + text_.size(); }
  /// What is in memory from that offset on, or from the window's begin if that is later.
  std::string_view from(std::uint64_t offset) const;
  /// Any bytes received. Throws Error: no such span, over 64 MiB, not kept.
  std::string bytes(ByteSpan span) const;

  std::uint64_t cursor() const { return cursor_; }
  /// Never back: another may have judged what comes later.
  void judge_to(std::uint64_t offset) { cursor_ = std::max(cursor_, offset); }
  /// Whether unjudged bytes were given up since the last call.
  bool take_overflow();

  /// While it lives, everything from `from` on stays in memory; reads it back first where it must.
  class Need {
   public:
    Need(Window& window, std::uint64_t from);
    ~Need() { window_.needs_.erase(place_); }
    Need(const Need&) = delete;
    Need& operator=(const Need&) = delete;
    void advance(std::uint64_t from) { *place_ = from; }

   private:
    Window& window_;
    std::list<std::uint64_t>::iterator place_;
  };

 private:
  void trim();

  Recorder& recorder_;
  std::string text_;
  std::uint64_t begin_, cursor_;
  std::list<std::uint64_t> needs_;
  bool overflowed_ = false;
};

}  // namespace hilcop
