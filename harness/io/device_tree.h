// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace hilcop {

/// Where the kernel and udev show this host's devices; a test has a tree of its own.
struct DeviceTree {
  std::filesystem::path sys = "/sys", dev = "/dev", proc = "/proc";
};

/// A device node as this user finds it.
struct DeviceNode {
  std::filesystem::path path;  // "/dev/ttyUSB0"
  bool accessible = false;     // this user may open it to read and write
  std::string problem;         // why not: "belongs to root:dialout with mode 0660"; empty if accessible
  std::string remedy;          // what gives access
};
/// Opens nothing.
DeviceNode look_at_node(const std::filesystem::path& path);

/// The one line of a sysfs attribute, without spaces at its ends; "" if it is not there or cannot be read.
std::string sysfs_text(const std::filesystem::path& attribute);
std::optional<long> sysfs_number(const std::filesystem::path& attribute, int base = 10);
/// The last part of what a link leads to ("driver" -> "ftdi_sio"); "" without one.
std::string link_name(const std::filesystem::path& link);

}  // namespace hilcop
