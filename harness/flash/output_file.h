// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/unique_fd.h"

namespace hilcop {

/// A file that is there whole or not at all: written beside its place, put there by finish(), removed otherwise.
class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Throws Error{Exhausted} when the disk has no room for so many bytes.
  void reserve(std::uint64_t bytes);
  /// All or an Error: Exhausted when the disk is full.
  void write(std::span<const std::byte> bytes);
  void finish();

 private:
  std::filesystem::path path_, part_;
  std::string object_;
  UniqueFd fd_;
};

}  // namespace hilcop
