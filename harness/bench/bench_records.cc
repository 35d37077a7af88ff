// SPDX-License-Identifier: Apache-2.0
#include "bench/bench_records.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/paths.h"
#include "evidence/run_record.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;

// The group's place, where there is one.
std::optional<fs::path> shared_dir() {
  const auto keeper = keeper_address();
  if (!keeper.shared) return std::nullopt;
  auto directory = group_records_dir(keeper.socket);
  std::error_code failed;
  return fs::is_directory(directory, failed) ? std::optional(std::move(directory)) : std::nullopt;
}

// In a place that a group writes to, a name may be a link to a file of ours that is worth more: only a file of our own making is written.
void write_for_group(const fs::path& file, const fs::path& directory, const std::string& content) {
  const auto object = "file " + file.string();
  const auto part = file.string() + "." + std::to_string(::getpid()) + ".part";
  ::unlink(part.c_str());
  const UniqueFd fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw error_from_errno(errno, object, "write");
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0 || ::fchown(fd.get(), static_cast<uid_t>(-1), info.st_gid) != 0 ||
      ::fchmod(fd.get(), 0660) != 0)
    throw error_from_errno(errno, object, "give it to the group of its directory");
  const auto written = ::write(fd.get(), content.data(), content.size());
  if (written != static_cast<ssize_t>(content.size()) || ::fsync(fd.get()) != 0)
    throw error_from_errno(written < 0 ? errno : ENOSPC, object, "write");
  if (std::rename(part.c_str(), file.c_str()) != 0) throw error_from_errno(errno, object, "replace");
}

}  // namespace

bool records_are_shared() { return shared_dir().has_value(); }

std::string record_file(const std::string& kind, const std::string& name) {
  if (const auto shared = shared_dir()) return *shared / (kind + "-" + name + ".json");
  return state_dir() / kind / (name + ".json");
}

void write_record(const std::string& kind, const std::string& name, const std::string& content) {
  const fs::path file = record_file(kind, name);
  if (const auto shared = shared_dir()) return write_for_group(file, *shared, content);
  std::error_code made;
  fs::create_directories(file.parent_path(), made);
  write_file(file, content);
}

std::optional<std::string> read_record(const std::string& kind, const std::string& name) {
  const auto file = record_file(kind, name);
  // A member's pipe must not hold us for ever.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) throw error_from_errno(errno, "record " + file, "read");
  std::string content;
  std::array<char, 16 * 1024> buffer;
  ssize_t count = 0;
  while ((count = ::read(fd.get(), buffer.data(), buffer.size())) > 0) content.append(buffer.data(), static_cast<std::size_t>(count));
  if (count < 0) throw error_from_errno(errno, "record " + file, "read");
  return content;
}

}  // namespace hilcop
