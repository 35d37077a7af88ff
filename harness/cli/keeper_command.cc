// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "fixtures/catalog.h"
#include "io/unix_socket.h"
#include "keeper/server.h"

namespace hilcop {

void add_keeper(CLI::App& app, int& status) {
  struct Arguments {
    std::string socket, group;
    double idle_s = 30;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("keeper", "hold the shared instruments of this host (started on demand)")->group("");
  command->add_option("--socket", arguments->socket, "unix socket to serve");
  command->add_option("--group", arguments->group, "its members may be clients too, and force safe states");
  command->add_option("--idle-s", arguments->idle_s, "end after so many seconds without a client")->check(CLI::NonNegativeNumber);
  command->callback([arguments, &status] {
    KeeperOptions options;
    options.socket = arguments->socket;
    options.group = arguments->group;
    auto inherited = inherited_listener();
    if (inherited) options.listener = inherited->release();
    options.idle_end = std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(arguments->idle_s));
    status = serve_keeper(options, all_drivers());
  });
}

}  // namespace hilcop
