// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

#include "bench/bench.h"

namespace CLI {
class App;
}

namespace hilcop {

/// Where the project's own files are: $HILCOP_HOME, else the nearest folder above this program that has boards/ and lab-config/.
std::filesystem::path project_dir();

/// --bench FILE or --bench NAME, on a command; default $HILCOP_BENCH, else the only file in lab-config/.
void add_bench_option(CLI::App& command, std::string& bench);
/// --wait SECONDS, on a command that leases DUTs: how long to queue while somebody else holds one.
void add_wait_option(CLI::App& command, double& wait_s);
/// Sets what --wait means; who has to wait is told on stderr for whom.
void wait_as_asked(OpenOptions& options, double wait_s);
/// The file that --bench means. Throws Error{Config} with the choices.
std::filesystem::path bench_file(const std::string& given);
/// Loaded and checked, with the boards of its project.
BenchConfig load_bench(const std::string& given);
std::filesystem::path boards_dir_of(const std::filesystem::path& bench_file);

}  // namespace hilcop
