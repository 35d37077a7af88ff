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
    const auto done = keeper->safe_state(*force, Deadline::in(60s));  // a slow instrument is given its time, several times
    status = 0;
    for (const auto& entry : done) {
      const auto what = entry.contains("channel") ? entry["instrument"].get<std::string>() + " " + entry["channel"].get<std::string>()
                                                  : "lease " + entry["lease"].dump() + ", taken back";
      if (entry.contains("error")) {
        std::fprintf(stderr, "%s: NOT at its safe state: %s\n", what.c_str(), entry["error"].get<std::string>().c_str());
        status = 3;
      } else {
        std::printf("%s: at its safe state\n", what.c_str());
      }
    }
    if (done.empty()) std::printf("nothing is away from its safe state\n");
  });
}

}  // namespace hilcop
