// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace hilcop {

/// Shows a run as it goes, from its workers' events: one redrawn line on a terminal, plain lines otherwise. Thread-safe.
class Progress {
 public:
  /// `faulty`: the consoles are made faulty on purpose (--faults), so no verdict stands.
  Progress(bool quiet, bool faulty);
  ~Progress();
  void take(const nlohmann::json& event);

 private:
  struct Dut {
    std::string scenario, step;
    SteadyTime began{};
    int index = 0, of = 0;
  };
  void tick(const std::stop_token& stop);
  void line(const std::string& text);
  void redraw();

  std::mutex mutex_;
  bool quiet_, faulty_, terminal_;
  SteadyTime began_ = real_clock().now();
  std::map<std::string, Dut> duts_;
  std::condition_variable_any stopped_;
  std::jthread ticker_;  // the elapsed time goes on while nothing happens
};

/// "Pass" in green and so on, where colours are wanted (a terminal, and no NO_COLOR).
std::string coloured(const std::string& verdict);

}  // namespace hilcop
