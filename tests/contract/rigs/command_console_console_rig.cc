// SPDX-License-Identifier: Apache-2.0
// The program is socat, which reaches the device's end over TCP.
#include "contract/rig.h"
#include "fakes/rfc2217_server.h"

namespace hilcop {
namespace {

class CommandRig final : public ConsoleRig {
 public:
  nlohmann::json config() const override {
    return {{"program", "socat"}, {"arguments", {"-", "TCP:127.0.0.1:" + std::to_string(server_.port())}}};
  }
  void says(std::string_view bytes) override { server_.says(bytes); }
  std::string hears(std::size_t bytes) override { return server_.hears(bytes); }
  void go() override { server_.go(); }
  void come_back() override { server_.come_back(); }

 private:
  Rfc2217Server server_{{.no_telnet = true}};
};

}  // namespace

std::unique_ptr<ConsoleRig> make_command_console_console_rig() { return std::make_unique<CommandRig>(); }

}  // namespace hilcop
