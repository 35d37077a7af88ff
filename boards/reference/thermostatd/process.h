// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace ht1 {

struct Ended {
  int status = -1;     // exit status; 128 + signal
  std::string output;  // the end of what it said
};

// A child in a group of its own, killed with all of it at the limit or when `stop` becomes true. Failure when it cannot be started.
Ended run_program(const std::vector<std::string>& words, std::chrono::seconds limit, const std::atomic<bool>* stop = nullptr);

}  // namespace ht1
