// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace hilcop {

/// Shows a run as it goes, from its workers' events: one redrawn line on a terminal, plain lines otherwise. Thread-safe.
class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress();
  void take(const nlohmann::json& event);

 private:
  struct Dut {
    std::string scenario, step;
    SteadyTime began{};
    int index = 0, of = 0;
  };
  void line(const std::string& text);
  void redraw();

  std::mutex mutex_;
  bool quiet_, terminal_;
  SteadyTime began_ = real_clock().now();
  std::map<std::string, Dut> duts_;
};

/// "Pass" in green and so on, where colours are wanted (a terminal, and no NO_COLOR).
std::string coloured(const std::string& verdict);

}  // namespace hilcop
