// SPDX-License-Identifier: Apache-2.0
// What the attributes mean: Linux, Documentation/ABI/{stable,testing}/sysfs-bus-usb.
#include "io/usb_devices.h"

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace hilcop {
namespace {

namespace fs = std::filesystem;

constexpr int kHubClass = 9;

std::optional<UsbIdentity> read_identity(const fs::path& directory) {
  const auto vid = sysfs_number(directory / "idVendor", 16), pid = sysfs_number(directory / "idProduct", 16);
  const auto bus = sysfs_number(directory / "busnum"), address = sysfs_number(directory / "devnum");
  if (!vid || !pid || !bus || !address) return std::nullopt;
  UsbIdentity id;
  id.vid = static_cast<std::uint16_t>(*vid);
  id.pid = static_cast<std::uint16_t>(*pid);
  id.serial = sysfs_text(directory / "serial");
  id.manufacturer = sysfs_text(directory / "manufacturer");
  id.product = sysfs_text(directory / "product");
  id.path = directory.filename();
  id.bus = static_cast<int>(*bus);
  id.address = static_cast<int>(*address);
  return id;
}

// The directory itself or the nearest above it, within sysfs, that has the attribute.
fs::path nearest_with(const char* attribute, const fs::path& directory, const DeviceTree& tree) {
  std::error_code none;
  const fs::path top = fs::canonical(tree.sys, none);
  for (fs::path at = fs::canonical(directory, none); at.has_relative_path() && at != top; at = at.parent_path())
    if (fs::exists(at / attribute, none)) return at;
  return {};
}

std::vector<fs::path> children_of(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code none;
  for (fs::directory_iterator entry(directory, none), end; !none && entry != end; entry.increment(none)) found.push_back(entry->path());
  std::sort(found.begin(), found.end());
  return found;
}

UsbHubPort read_port(const fs::path& directory, int number) {
  UsbHubPort port;
  port.number = number;
  std::error_code none;
  if (fs::exists(directory / "disable", none)) {
    port.disable = directory / "disable";
    port.disable_writable = ::faccessat(AT_FDCWD, port.disable.c_str(), W_OK, AT_EACCESS) == 0;
  }
  port.connect_type = sysfs_text(directory / "connect_type");
  port.peer = link_name(directory / "peer");
  port.device = link_name(directory / "device");
  return port;
}

// "1-1-port3" and, of a root hub, "usb1-port3" stand below the hub's only interface.
void read_ports(const fs::path& interface, UsbDevice& hub) {
  const std::string prefix = hub.id.path + "-port";
  for (const auto& entry : children_of(interface)) {
    const std::string name = entry.filename();
    if (!name.starts_with(prefix)) continue;
    const int number = std::atoi(name.c_str() + prefix.size());
    if (number > 0) hub.ports.push_back(read_port(entry, number));
  }
  std::sort(hub.ports.begin(), hub.ports.end(), [](const UsbHubPort& a, const UsbHubPort& b) { return a.number < b.number; });
}

std::optional<UsbDevice> read_device(const fs::path& directory, const DeviceTree& tree) {
  const auto id = read_identity(directory);
  if (!id) return std::nullopt;
  UsbDevice device;
  device.id = *id;
  device.speed_mbps = std::atof(sysfs_text(directory / "speed").c_str());
  device.class_code = static_cast<int>(sysfs_number(directory / "bDeviceClass", 16).value_or(0));
  for (const auto& entry : children_of(directory)) {
    const auto number = sysfs_number(entry / "bInterfaceNumber", 16);
    if (!number) continue;
    const auto code = [&](const char* name) { return static_cast<int>(sysfs_number(entry / name, 16).value_or(0)); };
    device.interfaces.push_back({static_cast<int>(*number), code("bInterfaceClass"), code("bInterfaceSubClass"), code("bInterfaceProtocol"),
                                 link_name(entry / "driver")});
    if (device.class_code == kHubClass) read_ports(entry, device);
  }
  char node[32];
  std::snprintf(node, sizeof node, "bus/usb/%03d/%03d", id->bus, id->address);
  device.node = look_at_node(tree.dev / node);
  return device;
}

}  // namespace

std::optional<UsbIdentity> usb_identity_of(const fs::path& directory, const DeviceTree& tree) {
  const auto device = nearest_with("idVendor", directory, tree);
  return device.empty() ? std::nullopt : read_identity(device);
}

std::optional<int> usb_interface_of(const fs::path& directory, const DeviceTree& tree) {
  const auto interface = nearest_with("bInterfaceNumber", directory, tree);
  if (interface.empty()) return std::nullopt;
  const auto number = sysfs_number(interface / "bInterfaceNumber", 16);
  return number ? std::optional<int>(static_cast<int>(*number)) : std::nullopt;
}

std::vector<UsbDevice> usb_devices(const DeviceTree& tree) {
  std::vector<UsbDevice> devices;
  for (const auto& entry : children_of(tree.sys / "bus/usb/devices"))
    if (auto device = read_device(entry, tree)) devices.push_back(std::move(*device));
  std::sort(devices.begin(), devices.end(), [](const UsbDevice& a, const UsbDevice& b) { return earlier_path(a.id.path, b.id.path); });
  return devices;
}

std::string vid_pid(const UsbIdentity& id) {
  char text[16];
  std::snprintf(text, sizeof text, "%04x:%04x", id.vid, id.pid);
  return text;
}

bool earlier_path(const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) < 0; }

}  // namespace hilcop
