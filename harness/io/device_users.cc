// SPDX-License-Identifier: Apache-2.0
#include "io/device_users.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace hilcop {
namespace {

namespace fs = std::filesystem;

bool has_open(const fs::path& process, dev_t device) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end; entry.increment(error)) {
    struct stat info {};
    if (::stat(entry->path().c_str(), &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == device) return true;
  }
  return false;
}

}  // namespace

std::string other_users_of(dev_t device) {
  std::string users;
  const std::string own = std::to_string(::getpid());
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string pid = entry->path().filename();
    if (pid == own || !std::all_of(pid.begin(), pid.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    if (!has_open(entry->path(), device)) continue;
    std::string program;
    std::ifstream comm(entry->path() / "comm");
    std::getline(comm, program);
    users += (users.empty() ? "" : ", ") + program + " (pid " + pid + ")";
  }
  return users;
}

}  // namespace hilcop
