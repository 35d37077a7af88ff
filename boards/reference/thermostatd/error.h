// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace ht1 {

// What went wrong inside the device: what, on which object, why, what to do.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a client sent and cannot have: its HTTP status and what it is told.
class Refusal : public std::runtime_error {
 public:
  Refusal(unsigned status, const std::string& why, int retry_after_s = 0)
      : std::runtime_error(why), status_(status), retry_after_s_(retry_after_s) {}
  unsigned status() const { return status_; }
  int retry_after_s() const { return retry_after_s_; }

 private:
  unsigned status_;
  int retry_after_s_;
};

}  // namespace ht1
