// SPDX-License-Identifier: Apache-2.0
// Guessing is slow: after 5 wrong ones 30 s, doubled at each further one up to 900 s. A power cut makes nobody's wait shorter.
#pragma once

#include <functional>
#include <string>

#include "flaws.h"
#include "sealed_store.h"

namespace ht1 {

using Seconds = std::function<double()>;  // a clock that only goes forward

class Lockout {
 public:
  // `door`: what is guarded, the name under which its failures are kept ("login", "setup").
  Lockout(std::string door, SealedStore& store, const Flaws& flaws, Seconds now);

  // Before the secret is looked at: Refusal 429 while it is locked, else the attempt is counted on flash, so that cutting the power
  // between a wrong guess and its count gains nothing.
  void begin_attempt();
  void succeeded();
  // After an erase.
  void reload();

 private:
  double wait_s() const;
  void keep() const;

  std::string door_;
  SealedStore& store_;
  const Flaws& flaws_;
  Seconds now_;
  unsigned failures_ = 0;
  double locked_until_ = 0;
};

}  // namespace ht1
