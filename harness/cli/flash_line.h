// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "flash/flash.h"

namespace hilcop {

/// How far a flashing is, on stderr: one redrawn line on a terminal; otherwise a line for each phase and every 10 s.
class FlashLine {
 public:
  FlashLine();
  ~FlashLine();
  FlashLine(const FlashLine&) = delete;
  FlashLine& operator=(const FlashLine&) = delete;
  void take(const FlashProgress& progress);

 private:
  bool terminal_;
  std::string phase_;
  SteadyTime began_{}, shown_{};
};

/// "write: 12.0 of 64.0 MiB, 18 %, 5.1 MiB/s"
std::string text_of(const FlashProgress& progress, Nanoseconds spent);

}  // namespace hilcop
