// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace hilcop {

/// From an offset in a console's .raw file to the line of its .log file (from 1) that shows it. Reads each file once.
class LineFinder {
 public:
  explicit LineFinder(std::filesystem::path run_dir) : run_dir_(std::move(run_dir)) {}
  /// 0: the file cannot be read.
  std::uint64_t line_of(const std::string& raw_path, std::uint64_t offset);

 private:
  const std::vector<std::uint64_t>& line_begins(const std::string& raw_path);

  std::filesystem::path run_dir_;
  std::map<std::string, std::vector<std::uint64_t>> known_;
};

}  // namespace hilcop
