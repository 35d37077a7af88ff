// SPDX-License-Identifier: Apache-2.0
// What happened to the device's security, for its owner: the last 500 events, on flash before the call returns. No secrets, no personal
// data.
#pragma once

#include <filesystem>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "flaws.h"

namespace ht1 {

class SecurityLog {
 public:
  static constexpr std::size_t kKept = 500;

  SecurityLog(std::filesystem::path file, const Flaws& flaws);
  ~SecurityLog();
  void add(const std::string& event, const std::string& detail = "");
  nlohmann::json read() const;
  void erase();

 private:
  mutable std::mutex mutex_;
  std::filesystem::path file_;
  const Flaws& flaws_;
  std::vector<std::string> lines_;
  std::size_t written_ = 0;  // lines in the file
  bool behind_ = false;      // the file lacks what could not be written
};

}  // namespace ht1
