// SPDX-License-Identifier: Apache-2.0
#include "evidence/line_finder.h"

#include <algorithm>
#include <fstream>

namespace hilcop {

// The log has one line for each line of the recording (console/docs/recording.md); only notes of gaps and broken long lines add
// some, so a line found here is at most that much too early: it is where a person starts to read.
const std::vector<std::uint64_t>& LineFinder::line_begins(const std::string& raw_path) {
  auto [entry, fresh] = known_.try_emplace(raw_path);
  if (!fresh) return entry->second;
  std::ifstream file(run_dir_ / raw_path, std::ios::binary);
  if (!file) return entry->second;
  entry->second.push_back(0);
  std::vector<char> buffer(1 << 16);
  std::uint64_t at = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0) {
    for (std::streamsize i = 0; i < file.gcount(); ++i)
      if (buffer[static_cast<std::size_t>(i)] == '\n') entry->second.push_back(at + static_cast<std::uint64_t>(i) + 1);
    at += static_cast<std::uint64_t>(file.gcount());
  }
  return entry->second;
}

std::uint64_t LineFinder::line_of(const std::string& raw_path, std::uint64_t offset) {
  const auto& begins = line_begins(raw_path);
  return static_cast<std::uint64_t>(std::upper_bound(begins.begin(), begins.end(), offset) - begins.begin());
}

}  // namespace hilcop
