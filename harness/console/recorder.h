// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "console/console.h"
#include "console/readable_log.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Writes what a console receives: exact bytes, an index of times, a readable log (docs/recording.md). Buffers at most 64 KiB;
/// flush_written() must be called at least every 100 ms. Not thread-safe.
class Recorder {
 public:
  /// An empty directory records nothing. Throws Error if the files cannot be made.
  Recorder(const std::filesystem::path& directory, const std::string& source);

  void append(std::string_view bytes, SteadyTime steady, UtcTime utc);
  void note_gap(const Gap& gap);
  /// Hands what is buffered to the kernel; `sync` also to the disk.
  void flush(bool sync = false);
  bool unflushed() const { return !raw_buffer_.empty() || !log_.pending().empty(); }

  /// Why recording failed (disk full), if it did: from then on the files have a hole.
  const std::optional<Error>& failure() const { return failure_; }
  bool recording() const { return static_cast<bool>(raw_); }
  /// Bytes of the recording, from the file; throws Error{Exhausted} where they were never written.
  std::string read(ByteSpan span);
  std::uint64_t size() const { return offset_; }

 private:
  void write_out(const UniqueFd& fd, std::string& buffer);

  std::string name_;
  UniqueFd raw_, index_, log_file_;
  std::string raw_buffer_, index_buffer_;
  ReadableLog log_;
  std::uint64_t offset_ = 0;
  std::optional<Error> failure_;
};

/// "board1/console" -> "board1-console"
std::string file_stem(const std::string& source);

}  // namespace hilcop
