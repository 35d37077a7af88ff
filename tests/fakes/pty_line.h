// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <thread>

#include "fakes/pty_port.h"

namespace hilcop {

/// A serial line between two programs: two pseudo-terminals, at links of the test's. As a real line, it stays when an end is closed.
/// (socat makes such pairs too, but holds both ends open itself.) Going, it is unplugged at both ends.
class PtyLine {
 public:
  PtyLine(const std::filesystem::path& one, const std::filesystem::path& other);
  ~PtyLine();

 private:
  void carry(const std::stop_token& stop);

  PtyPort ports_[2];
  std::filesystem::path links_[2];
  UniqueFd wake_;
  std::jthread thread_;
};

}  // namespace hilcop
