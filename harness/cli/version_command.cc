// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace hilcop {

void add_version(CLI::App& app, int& status) {
  app.add_subcommand("version", "print the version")->callback([&status] {
    std::printf("hilcop %s\n", HILCOP_VERSION);
    status = 0;
  });
}

}  // namespace hilcop
