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

/// Writes what a console receives: exact bytes, an index of times, a readable log (docs/recording.md). Buffers at most 64 KiB
/// of each; on_tick() must be called at least every 40 ms. Not thread-safe.
class Recorder {
 public:
  /// An empty directory records nothing; a recording that is there goes on. Throws Error if the files cannot be made.
  Recorder(const std::filesystem::path& directory, const std::string& source);

  void append(std::string_view bytes, SteadyTime steady, UtcTime utc);
  void note_gap(const Gap& gap);
  /// Hands what is buffered to the kernel; `sync` also to the disk.
  void flush(bool sync = false);
  /// Hands over what has waited long enough: bytes and index 50 ms, the readable log 250 ms.
  void on_tick(SteadyTime now);
  const std::string& name() const { return name_; }

  /// Why recording failed (disk full), if it did: from then on the files have a hole.
  const std::optional<Error>& failure() const { return failure_; }
  bool recording() const { return static_cast<bool>(raw_); }
  /// Bytes of the recording, from the file; throws Error{Exhausted} where they were never written.
  std::string read(ByteSpan span);
  std::uint64_t size() const { return offset_; }

 private:
  void write_out(const UniqueFd& fd, std::string& buffer);
  void write_bytes();

  std::string name_;
  UniqueFd raw_, index_, log_file_;
  std::string raw_buffer_, index_buffer_;
  ReadableLog log_;
  std::uint64_t offset_ = 0;
  SteadyTime bytes_wait_since_{}, log_waits_since_{};  // of what is buffered
  std::optional<Error> failure_;
};

/// "board1/console" -> "board1-console"
std::string file_stem(const std::string& source);

}  // namespace hilcop
