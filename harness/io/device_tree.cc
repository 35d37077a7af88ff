// SPDX-License-Identifier: Apache-2.0
#include "io/device_tree.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace hilcop {
namespace {

const char* const kRules = "install lab-config/udev/60-hilcop.rules and join the group hilcop (lab-config/README.md, 'Access')";

// The thread-unsafe forms would do for a program that lists devices once, but the keeper has threads.
std::string owner_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return entry.pw_name;
  return std::to_string(uid);
}

std::string group_name(gid_t gid) {
  group entry{};
  group* found = nullptr;
  char buffer[16384];
  if (::getgrgid_r(gid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return entry.gr_name;
  return std::to_string(gid);
}

}  // namespace

DeviceNode look_at_node(const std::filesystem::path& path) {
  DeviceNode node{path, false, "", ""};
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    node.problem = std::strerror(errno);
    node.remedy = "check the cable, and that udev runs";
    return node;
  }
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0) {
    node.accessible = true;
    return node;
  }
  if (errno != EACCES) {
    node.problem = std::strerror(errno);
    node.remedy = "look at its driver and at the file system that it is on";
    return node;
  }
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777));
  const auto group = group_name(info.st_gid);
  node.problem = "belongs to " + owner_name(info.st_uid) + ":" + group + " with mode " + mode;
  // Who joins the group of root gets more than this device.
  const bool group_helps = (info.st_mode & (S_IRGRP | S_IWGRP)) == (S_IRGRP | S_IWGRP) && info.st_gid != 0;
  node.remedy = group_helps ? "sudo usermod -aG " + group + " " + owner_name(::geteuid()) + ", then log in again" : kRules;
  return node;
}

std::string sysfs_text(const std::filesystem::path& attribute) {
  std::ifstream file(attribute);
  std::string line;
  std::getline(file, line);
  const auto begin = line.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

std::optional<long> sysfs_number(const std::filesystem::path& attribute, int base) {
  const std::string text = sysfs_text(attribute);
  const std::size_t skipped = base == 16 && text.starts_with("0x") ? 2 : 0;
  long value = 0;
  const auto [end, failed] = std::from_chars(text.data() + skipped, text.data() + text.size(), value, base);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string link_name(const std::filesystem::path& link) {
  std::error_code none;
  return std::filesystem::read_symlink(link, none).filename().string();
}

}  // namespace hilcop
