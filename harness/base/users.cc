// SPDX-License-Identifier: Apache-2.0
#include "base/users.h"

#include <grp.h>
#include <pwd.h>

#include <array>

namespace hilcop {
namespace {

// A group's entry carries all its members.
constexpr std::size_t kEntry = 65536;

}  // namespace

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, kEntry> buffer;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
  return std::to_string(uid);
}

std::string group_name(gid_t gid) {
  group entry{};
  group* found = nullptr;
  std::array<char, kEntry> buffer;
  if (::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.gr_name;
  return std::to_string(gid);
}

std::optional<gid_t> group_of_name(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::array<char, kEntry> buffer;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.gr_gid;
  return std::nullopt;
}

}  // namespace hilcop
