// SPDX-License-Identifier: Apache-2.0
// The program is socat, which reaches the device's end over TCP.
#include "contract/served_console_rig.h"

namespace hilcop {
namespace {

class CommandRig final : public ServedConsoleRig {
 public:
  CommandRig() : ServedConsoleRig({.no_telnet = true}) {}
  nlohmann::json config() const override {
    return {{"program", "socat"}, {"arguments", {"-", "TCP:127.0.0.1:" + std::to_string(server_.port())}}};
  }
};

}  // namespace

std::unique_ptr<ConsoleRig> make_command_console_console_rig() { return std::make_unique<CommandRig>(); }

}  // namespace hilcop
