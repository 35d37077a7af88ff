// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/unique_fd.h"

namespace hilcop {

/// Where OutputFile puts a file of that absolute path: what a link leads to. Throws Error{Config} unless a file stands there or none does
/// yet, and for a folder that is not there; PermissionDenied for one that takes no file of this user.
std::filesystem::path output_place(const std::filesystem::path& path);

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
