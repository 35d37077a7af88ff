// SPDX-License-Identifier: Apache-2.0
#include "cli/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "io/unique_fd.h"

namespace hilcop {

namespace fs = std::filesystem;

void write_new(const fs::path& file, const std::string& text, const std::string& remedy) {
  std::error_code failed;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), failed);
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd && errno == EEXIST) throw Error(ErrorKind::Config, file.string(), "is there already: nothing is overwritten", remedy);
  if (!fd) throw error_from_errno(errno, "file " + file.string(), "make");
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    const auto error = error_from_errno(errno, "file " + file.string(), "write");
    fs::remove(file, failed);
    throw Error(error);
  }
}

void replace_file(const fs::path& file, const std::string& text) {
  const fs::path fresh = file.string() + ".new";
  write_new(fresh, text, "remove it: an earlier writing was cut off");
  std::error_code failed;
  fs::rename(fresh, file, failed);
  if (!failed) return;
  const auto error = error_from_errno(failed.value(), "file " + file.string(), "replace");
  fs::remove(fresh, failed);
  throw Error(error);
}

}  // namespace hilcop
