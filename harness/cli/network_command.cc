// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "network/process/serve.h"

namespace hilcop {

void add_network(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("network", "be the network of a DUT (started by whoever opens it)")->group("");
  auto control = std::make_shared<int>(-1), sockets = std::make_shared<int>(-1);
  command->add_option("--control", *control, "descriptor of the socket to serve")->required()->check(CLI::NonNegativeNumber);
  command->add_option("--sockets", *sockets, "descriptor of the socket that connections are handed over at")
      ->required()
      ->check(CLI::NonNegativeNumber);
  command->callback([control, sockets, &status] { status = serve_network(*control, *sockets); });
}

}  // namespace hilcop
