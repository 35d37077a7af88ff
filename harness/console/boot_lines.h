// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "console/boot_log.h"

namespace hilcop {

/// Cuts a boot's bytes into its lines, at any chunking the same. Holds at most one line.
class BootLines {
 public:
  explicit BootLines(BootLog& boot);
  /// The next bytes of the recording. False: there are too many lines, the rest is left out.
  bool append(std::string_view bytes);
  /// What is left is a line without its end.
  void end();

 private:
  void finish_piece(bool whole, std::uint64_t end);
  void add(std::string_view bytes, ByteSpan span, bool whole);

  BootLog& boot_;
  BootNoise noise_;
  std::uint64_t at_;           // offset of the next byte
  std::string piece_;          // since the last line end
  std::uint64_t piece_begin_;  // offset of its first byte
  std::string held_;           // a line that a kernel message cut into
  std::uint64_t held_begin_ = 0;
};

}  // namespace hilcop
