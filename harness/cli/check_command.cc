// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/bench_option.h"
#include "cli/command.h"
#include "fixtures/catalog.h"

namespace hilcop {

void add_check(CLI::App& app, int& status) {
  struct Arguments {
    std::vector<std::string> files;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("check", "check lab-config files and the boards that they name; opens nothing");
  command->add_option("FILE", arguments->files, "lab-config files (default: the bench)");
  command->add_flag("--json", arguments->json, "problems as JSON");
  command->callback([arguments, &status] {
    if (arguments->files.empty()) arguments->files.push_back(bench_file("").string());
    auto problems = nlohmann::json::array();
    for (const auto& file : arguments->files) {
      try {
        const auto bench = load_bench_config(file, boards_dir_of(file), all_drivers());
        if (!arguments->json)
          std::printf("%s: bench '%s', %zu instruments, %zu DUTs: fine\n", file.c_str(), bench.name.c_str(), bench.instruments.size(),
                      bench.duts.size());
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
    if (arguments->json) std::printf("%s\n", problems.dump(1).c_str());
  });
}

}  // namespace hilcop
