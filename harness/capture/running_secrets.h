// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace hilcop {

/// The secrets of TLS sessions whose packets may still come: each file of a ring needs them in front. Bounded: of more than `most` bytes
/// those of sessions that are over go first, then the oldest. Not thread-safe.
class RunningSecrets {
 public:
  explicit RunningSecrets(std::size_t most) : most_(most) {}
  /// Lines as SSLKEYLOGFILE has them: a label, the session's client random, a secret.
  void add(std::string_view lines);
  /// The session of that client random has ended; its last packets may not be written yet.
  void over(std::string_view client_random, SteadyTime at);
  /// Of sessions that run, or were over less than kLinger before.
  std::string lines(SteadyTime now);
  /// Of sessions that may still have been running.
  std::uint64_t forgotten() const { return forgotten_; }

  static constexpr std::chrono::seconds kLinger{10};  // a packet waits that long where the disk is very slow

 private:
  struct Line {
    std::string text, random;
    SteadyTime over = SteadyTime::max();
  };
  void drop(std::list<Line>::iterator line);

  std::size_t most_, bytes_ = 0;
  std::list<Line> lines_;  // oldest first
  std::uint64_t forgotten_ = 0;
};

}  // namespace hilcop
