// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/key_spec.h"
#include "bench/config.h"

namespace hilcop {

/// Line and column of every value that a file gave, by key path ("duts.board1.power.channel", "disks.0.name").
using Positions = std::map<std::string, std::pair<int, int>>;

/// A file read and checked by a table: defaults filled in, paths absolute. Unfit values are in `problems`, and absent here.
struct CheckedFile {
  nlohmann::json value;
  Positions positions;
  std::filesystem::path path;
  std::string shown;   // the path as errors show it
  std::string sha256;  // of the text; empty where it could not be read

  /// A problem at a key path, or at the nearest key above that the file gave.
  ConfigProblem problem(const std::string& key_path, std::string message, std::vector<std::string> choices = {}) const;
};

/// Reads and checks. Every problem found is appended; nothing is thrown for what a file may contain.
CheckedFile check_file(const std::filesystem::path& path, const std::vector<KeySpec>& keys, std::vector<ConfigProblem>& problems);

/// The keys at the top of a file; none when it is no YAML mapping.
std::vector<std::string> top_keys(const std::filesystem::path& path);

/// Checks a part that another file's table describes (an instrument by its driver's). Values are merged under `value`.
void check_part(CheckedFile& file, const std::string& key_path, nlohmann::json& value, const std::vector<KeySpec>& keys,
                std::vector<ConfigProblem>& problems);

/// The choices that look like `given` first; for "did you mean".
std::string nearest(const std::string& given, const std::vector<std::string>& choices);

}  // namespace hilcop
