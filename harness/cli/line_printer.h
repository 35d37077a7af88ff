// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "io/arrival.h"

namespace hilcop {

/// Lines to standard output, written by a thread of its own: who has something to say never waits for a terminal that is held (Ctrl-S) or a
/// pipe that is full. kMostBytes wait at most; of what is more the number of lines is told in its place. Thread-safe.
class LinePrinter {
 public:
  static constexpr std::size_t kMostBytes = 8u << 20;

  /// `lost_line`: what stands in place of so many lines.
  explicit LinePrinter(std::function<std::string(std::size_t)> lost_line);
  /// Writes what waits, for a second at most.
  ~LinePrinter();
  /// `text` without the end of its last line. Never blocks.
  void line(const std::string& text);
  /// True when nobody reads any more; false at the deadline. Throws Interrupted.
  bool wait_unread(Deadline deadline) const { return unread_.wait(deadline); }
  bool is_terminal() const { return terminal_; }

 private:
  void run(const std::stop_token& stop);
  bool write_out(const std::string& text, const std::stop_token& stop) const;

  std::function<std::string(std::size_t)> lost_line_;
  bool terminal_;
  UniqueFd own_;  // of a terminal or a pipe: not to be waited for in write(2)
  Arrival unread_;
  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::string waiting_;
  std::size_t not_shown_ = 0;
  bool over_ = false;
  std::jthread thread_;  // the last: it uses the others
};

}  // namespace hilcop
