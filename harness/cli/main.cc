// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>
#include <string_view>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "cli/complete.h"

int main(int argc, char** argv) {
  CLI::App app("hilcop: proves on a bench what a connected device does", "hilcop");
  app.footer(
      "Exit status: 0 nothing but passes, 1 a Fail, 2 usage or configuration, 3 bench error or not judged.\n"
      "`hilcop COMMAND --help` tells more.");
  app.require_subcommand(1);
  int status = 0;
  for (const auto add : hilcop::kCommands) add(app, status);
  if (argc > 1 && std::string_view(argv[1]) == "complete") return hilcop::complete(app, {argv + 2, argv + argc});
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands([&](const CLI::App* known) { return known->get_name() == argv[1]; }).empty()) {
    std::string names;
    for (const auto* command : app.get_subcommands({}))
      if (!command->get_group().empty()) names += (names.empty() ? "" : ", ") + command->get_name();
    std::fprintf(stderr, "hilcop: no command '%s'; choose one of: %s\n", argv[1], names.c_str());
    return 2;
  }
  try {
    app.parse(argc, argv);
    return status;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const hilcop::Interrupted&) {
    std::fprintf(stderr, "hilcop: interrupted\n");
    return 130;
  } catch (const hilcop::Error& error) {
    std::fprintf(stderr, "hilcop: %s\n", error.what());
    return error.kind() == hilcop::ErrorKind::Config ? 2 : 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hilcop: fault in hilcop itself: %s\n", error.what());
    return 3;
  }
}
