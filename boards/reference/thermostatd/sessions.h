// SPDX-License-Identifier: Apache-2.0
// Who is logged in. Kept in memory only: a power cut ends every session.
#pragma once

#include <map>
#include <random>
#include <string>
#include <string_view>

#include "flaws.h"
#include "lockout.h"

namespace ht1 {

class Sessions {
 public:
  static constexpr int kLife = 900;
  static constexpr std::size_t kMost = 16;

  Sessions(const Flaws& flaws, Seconds now) : flaws_(flaws), now_(std::move(now)) {}
  std::string open();
  bool holds(std::string_view token);
  void close(std::string_view token);
  void close_all();

 private:
  std::string new_token();

  const Flaws& flaws_;
  Seconds now_;
  std::map<std::string, double> ends_;  // SHA-256 of the token -> when it ends: the token itself is not kept
  std::mt19937_64 unseeded_;            // only for the flaw: the same numbers after every start
};

}  // namespace ht1
