// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/checked_yaml.h"
#include "bench/tables.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

// What it is, for people. Throws ConfigError.
std::string check(const std::string& file) {
  if (is_board_file(file)) {
    const auto board = load_board(file, all_drivers());
    return fmt::format("board '{}', {} boot stages", board.name, board.boot_stages.size());
  }
  const auto bench = load_bench_config(file, boards_dir_of(file), all_drivers());
  std::vector<ConfigProblem> problems;
  std::vector<ConfigProblem> ignored;  // the file is sound: read again for the places of what is said of it
  const auto source = check_file(file, bench_keys(), ignored);
  for (const auto& [name, instrument] : bench.instruments) {
    const auto* driver = find_driver(all_drivers(), instrument.driver);
    if (!driver->check) continue;
    try {
      for (const auto& text : driver->check(instrument)) problems.push_back(source.problem("instruments." + name, text));
    } catch (const Error&) {
      // It is not there, or this user may not ask it: the file is none the worse for that.
    }
  }
  if (!problems.empty()) throw ConfigError(std::move(problems));
  return fmt::format("bench '{}', {} instruments, {} DUTs", bench.name, bench.instruments.size(), bench.duts.size());
}

}  // namespace

void add_check(CLI::App& app, int& status) {
  struct Arguments {
    std::vector<std::string> files;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("check", "check lab-config files with the boards that they name, and board files; switches nothing");
  command->add_option("FILE", arguments->files, "lab-config or board files (default: the bench)");
  command->add_flag("--json", arguments->json, "problems as JSON");
  command->callback([arguments, &status] {
    if (arguments->files.empty()) arguments->files.push_back(bench_file("").string());
    auto problems = nlohmann::json::array();
    for (const auto& file : arguments->files) {
      try {
        const auto what = check(file);
        if (!arguments->json) std::printf("%s: %s: fine\n", file.c_str(), what.c_str());
      } catch (const ConfigError& error) {
        status = 2;
        for (const auto& problem : error.problems()) {
          problems.push_back({{"file", problem.file},
                              {"line", problem.line},
                              {"column", problem.column},
                              {"key", problem.key_path},
                              {"message", problem.message},
                              {"choices", problem.choices}});
          if (!arguments->json) std::fprintf(stderr, "%s\n", problem.text().c_str());
        }
      }
    }
    if (arguments->json) std::printf("%s\n", problems.dump(1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  });
}

}  // namespace hilcop
