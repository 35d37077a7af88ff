// SPDX-License-Identifier: Apache-2.0
#include "io/block_users.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fstream>
#include <sstream>
#include <vector>

namespace hilcop {
namespace {

namespace fs = std::filesystem;

// The disk and its partitions: a partition is a directory of its disk that has a `partition` attribute.
std::vector<fs::path> parts_of(const std::string& kernel_name, const DeviceTree& tree) {
  const auto disk = tree.sys / "class/block" / kernel_name;
  std::vector<fs::path> parts{disk};
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(disk, none))
    if (fs::exists(entry.path() / "partition", none)) parts.push_back(entry.path());
  return parts;
}

// "8:17" of a node, "" if it is none.
std::string number_of(const fs::path& node) {
  struct stat info {};
  if (::stat(node.c_str(), &info) != 0 || !S_ISBLK(info.st_mode)) return "";
  return std::to_string(::major(info.st_rdev)) + ":" + std::to_string(::minor(info.st_rdev));
}

// proc_pid_mountinfo(5): ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS... - TYPE SOURCE SUPER. The number is an anonymous one for file
// systems of their own kind (btrfs), so the source counts, too.
std::string mount_point(const std::string& number, const DeviceTree& tree) {
  std::ifstream mounts(tree.proc / "self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point, word, type, source;
    fields >> id >> parent >> device >> root >> point;
    while (fields >> word && word != "-") {
    }
    fields >> type >> source;
    if (device == number || (source.starts_with('/') && number_of(source) == number)) return point;
  }
  return "";
}

bool is_swap(const std::string& number, const DeviceTree& tree) {
  std::ifstream swaps(tree.proc / "swaps");
  std::string line;
  std::getline(swaps, line);  // the heading
  while (std::getline(swaps, line))
    if (number_of(line.substr(0, line.find_first_of(" \t"))) == number) return true;
  return false;
}

}  // namespace

std::string host_use_of(const std::string& kernel_name, const DeviceTree& tree) {
  for (const auto& part : parts_of(kernel_name, tree)) {
    const std::string name = part.filename().string(), number = sysfs_text(part / "dev");
    if (number.empty()) continue;
    std::error_code none;
    for (const auto& holder : fs::directory_iterator(part / "holders", none))
      return name + " is part of " + holder.path().filename().string();
    if (const auto point = mount_point(number, tree); !point.empty()) return name + " is mounted on " + point;
    if (is_swap(number, tree)) return name + " is swap space of this host";
  }
  return "";
}

}  // namespace hilcop
