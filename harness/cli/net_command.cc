// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/net_commands.h"

namespace hilcop {

void add_net(CLI::App& app, int& status) {
  auto* command =
      app.add_subcommand("net", "a DUT's network: have it up and see what the device does, look at one that is up, record, scan");
  command->require_subcommand(1);
  for (const auto add : {add_net_up, add_net_status, add_capture, add_scan}) add(*command, status);
}

}  // namespace hilcop
