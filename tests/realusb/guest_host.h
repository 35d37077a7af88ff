// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdio>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "io/child_process.h"

namespace hilcop {

/// Asks the host of this guest for a command of QEMU's monitor (guest.py).
inline void ask_host(const nlohmann::json& command) {
  std::printf("\nHOST %s\n", command.dump().c_str());
  std::fflush(stdout);
}

template <typename Condition>
bool comes_true(const Condition& condition, Nanoseconds limit = 20s) {
  for (const Deadline deadline = Deadline::in(limit); !condition(); wait_until(deadline.at_most(10ms)))
    if (deadline.expired()) return false;
  return true;
}

inline bool on_bus(const std::string& path) { return std::filesystem::exists("/sys/bus/usb/devices/" + path + "/idVendor"); }

/// What a program of somebody else says.
inline std::string said_by(const std::string& program, std::vector<std::string> arguments) {
  ProcessOptions options;
  options.program = program;
  options.arguments = std::move(arguments);
  options.capture_output = true;
  return run_process(std::move(options), Deadline::in(60s)).output;
}

}  // namespace hilcop
