// SPDX-License-Identifier: Apache-2.0
#include "base/paths.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/error.h"

namespace hilcop {
namespace {

std::filesystem::path private_dir(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throw error_from_errno(errno, "directory " + path.string(), "make it");
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) throw error_from_errno(errno, "directory " + path.string(), "look at it");
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 022) != 0)
    throw Error(ErrorKind::PermissionDenied, "directory " + path.string(), "is not a directory of this user alone",
                "remove it, or name another in HILCOP_RUNTIME_DIR or HILCOP_STATE_DIR");
  return path;
}

const char* env(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

std::filesystem::path runtime_dir() {
  if (const char* dir = env("HILCOP_RUNTIME_DIR")) return private_dir(dir);
  if (const char* dir = env("XDG_RUNTIME_DIR")) return private_dir(std::filesystem::path(dir) / "hilcop");
  return private_dir("/tmp/hilcop-" + std::to_string(::geteuid()));
}

KeeperAddress keeper_address() {
  if (const char* socket = env("HILCOP_KEEPER_SOCKET")) return {socket, true};
  const std::filesystem::path shared = "/run/hilcop/keeper.sock";
  std::error_code none;
  if (env("HILCOP_RUNTIME_DIR") == nullptr && std::filesystem::exists(shared, none)) return {shared, true};
  return {runtime_dir() / "keeper.sock", false};
}

std::filesystem::path temporary_dir() {
  std::error_code failed;
  auto folder = std::filesystem::temp_directory_path(failed);
  if (!failed) return folder;
  const char* named = env("TMPDIR");
  throw Error(ErrorKind::NotFound, std::string("folder ") + (named != nullptr ? named : "/tmp"),
              "is where temporary files go ($TMPDIR), and there is no such folder", "make it, or set TMPDIR to one that is there");
}

std::filesystem::path lease_dir() {
  const auto keeper = keeper_address();
  const auto directory = keeper.socket.parent_path() / "leases";
  std::error_code ignored;
  if (!keeper.shared) std::filesystem::create_directory(directory, ignored);  // the shared one its keeper has made
  return directory;
}

std::filesystem::path state_dir() {
  if (const char* dir = env("HILCOP_STATE_DIR")) return private_dir(dir);
  if (const char* dir = env("XDG_STATE_HOME")) return private_dir(std::filesystem::path(dir) / "hilcop");
  const char* home = env("HOME");
  return private_dir(std::filesystem::path(home != nullptr ? home : "/root") / ".local/state/hilcop");
}

std::filesystem::path group_records_dir(const std::filesystem::path& socket) {
  const auto beside = socket.parent_path();
  return (beside == "/run/hilcop" ? std::filesystem::path("/var/lib/hilcop") : beside) / "records";
}

}  // namespace hilcop
