// SPDX-License-Identifier: Apache-2.0
// The console is closed: it knows one word, "unlock SECRET", and little patience. What is typed is never shown or logged.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lockout.h"
#include "password.h"

namespace ht1 {

class ConsoleLock {
 public:
  static constexpr unsigned kFree = 5;
  static constexpr double kWait = 60;
  static constexpr std::size_t kMostLine = 256;

  // `failures`: those before the last power cut; `keep` is called before a secret is looked at.
  ConsoleLock(SecretHash secret, Seconds now, unsigned failures, std::function<void(unsigned)> keep);

  struct Answer {
    std::string text;
    bool unlocked = false;
  };
  // Whatever came: whole lines are answered; what follows an unlocking line is thrown away.
  Answer feed(std::string_view bytes);

 private:
  Answer line(const std::string& text);
  void count(unsigned failures);

  SecretHash secret_;
  Seconds now_;
  unsigned failures_;
  std::function<void(unsigned)> keep_;
  double locked_until_ = 0;
  std::string line_;
  bool too_long_ = false;
};

}  // namespace ht1
