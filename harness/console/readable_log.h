// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"

namespace hilcop {

/// Turns received bytes into lines for people: time stamp, valid UTF-8, control and invalid bytes escaped, long lines broken.
class ReadableLog {
 public:
  void append(std::string_view bytes, SteadyTime at);
  /// A line of the recording itself, not of the device.
  void note(std::string_view text, SteadyTime at);
  /// Text that is ready to be written; taken by clear().
  std::string& pending() { return out_; }
  const std::string& pending() const { return out_; }

 private:
  void begin_line(SteadyTime at);
  void put(std::string_view bytes, SteadyTime at);
  std::size_t take_character(std::string_view bytes);

  std::string out_, partial_;  // partial_: the begin of a UTF-8 sequence cut by a read
  SteadyTime first_{};
  bool in_line_ = false;
  std::size_t column_ = 0;
};

}  // namespace hilcop
