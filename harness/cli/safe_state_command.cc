// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "keeper/client.h"

namespace hilcop {

void add_safe_state(CLI::App& app, int& status) {
  auto force = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("safe-state", "bring every output that nobody leases to its safe state");
  command->add_flag("--force", *force, "take the leased ones back too: their holders get an error");
  command->callback([force, &status] {
    const auto keeper = KeeperClient::connect({}, Deadline::in(10s));
    const auto done = keeper->safe_state(*force, Deadline::in(10s));
    for (const auto& entry : done)
      if (entry.contains("channel"))
        std::printf("%s %s: %s\n", entry["instrument"].get<std::string>().c_str(), entry["channel"].get<std::string>().c_str(),
                    entry["safe_state"].get<std::string>().c_str());
      else
        std::printf("lease %s: taken back, to its safe state\n", entry["lease"].dump().c_str());
    if (done.empty()) std::printf("nothing is away from its safe state\n");
    status = 0;
  });
}

}  // namespace hilcop
