// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fakes/temp_dir.h"
#include "io/child_process.h"

namespace hilcop {

/// `hilcop flash` and `dump` as a person runs them, on a bench in a folder of its own.
class FlashProgram {
 public:
  std::filesystem::path operator/(const std::string& name) const { return dir_ / name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(dir_ / name, std::ios::binary) << text; }
  ProcessOptions command(std::vector<std::string> words) const {
    ProcessOptions options;
    options.program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../../bin/hilcop";
    options.arguments = std::move(words);
    options.arguments.insert(options.arguments.end(), {"-b", (dir_ / "bench.yaml").string()});
    options.directory = dir_.path();
    options.capture_output = true;
    return options;
  }
  ProcessResult run(std::vector<std::string> words) const {
    return run_process(command(std::move(words)), Deadline::in(std::chrono::minutes(2)));
  }

 private:
  TempDir dir_{true};
};

}  // namespace hilcop
