// SPDX-License-Identifier: Apache-2.0
#include "bench/schema.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "fixtures/catalog.h"

namespace hilcop {

void add_schema(CLI::App& app, int& status) {
  auto kind = std::make_shared<std::string>();
  auto* command = app.add_subcommand("schema", "print the JSON Schema of a kind of file, for editors and other checkers");
  command->add_option("KIND", *kind, "bench (lab-config/) or board (boards/)")->required()->check(CLI::IsMember({"bench", "board"}));
  command->callback([kind, &status] {
    const auto schema = *kind == "bench" ? bench_schema(all_drivers()) : board_schema(all_drivers());
    std::printf("%s\n", schema.dump(2).c_str());
    status = 0;
  });
}

}  // namespace hilcop
