// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

#include "io/unique_fd.h"

namespace hilcop {

/// The last 64 KiB of what is written to a pipe, however much that is. A thread of its own reads all the time: who writes never waits for
/// whoever asks. Destroying it closes the pipe: who still writes then gets EPIPE.
class CapturedOutput {
 public:
  /// Throws Error{Exhausted} on `object`.
  explicit CapturedOutput(const std::string& object);
  ~CapturedOutput();
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;
  /// For the child; close-on-exec, valid until close_write_end().
  int write_end() const { return write_.get(); }
  void close_write_end() { write_.reset(); }
  /// Holds all that was written before the call. Does not block.
  std::string last();

 private:
  void drain();
  /// Takes at most so many bytes; how many came, 0 when there are none.
  std::size_t take(std::size_t most);

  UniqueFd read_, write_, stop_;
  std::mutex mutex_;
  std::string kept_;
  std::thread thread_;
};

}  // namespace hilcop
