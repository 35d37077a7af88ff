// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <utility>

namespace hilcop {

/// A directory of a test's own, removed at its end. `isolate` makes it the place of sockets, locks and journals of this process.
class TempDir {
 public:
  explicit TempDir(bool isolate = false) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hilcop-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    if (isolate) {
      ::setenv("HILCOP_RUNTIME_DIR", (path_ / "runtime").c_str(), 1);
      ::setenv("HILCOP_STATE_DIR", (path_ / "state").c_str(), 1);
    }
  }
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace hilcop
