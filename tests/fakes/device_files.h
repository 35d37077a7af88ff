// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "fakes/temp_dir.h"
#include "io/device_tree.h"

namespace hilcop {

/// A /sys and a /dev of a test's own, laid out as Linux 6.1 does it. Device nodes are links to /dev/null.
class DeviceFiles {
 public:
  DeviceFiles() {
    for (const char* folder : {"sys/bus/usb/devices", "sys/class/tty", "sys/class/net", "dev"})
      std::filesystem::create_directories(dir_ / folder);
  }
  DeviceTree tree() const { return {dir_ / "sys", dir_ / "dev"}; }
  std::filesystem::path operator/(const std::string& name) const { return dir_ / name; }

  /// A USB device; its path says where: "usb1", "1-1", "1-1.2". Attributes by their names in sysfs; what is not given is some default.
  std::filesystem::path usb(const std::string& path, int address, std::map<std::string, std::string> attributes) {
    const auto bus = bus_of(path);
    const auto device = directory_of(path);
    attributes.try_emplace("busnum", bus);
    attributes.try_emplace("devnum", std::to_string(address));
    attributes.try_emplace("bDeviceClass", "00");
    attributes.try_emplace("speed", "480");
    for (const auto& [name, value] : attributes) write(device / name, value + "\n");
    link(dir_ / "sys/bus/usb/devices" / path, device);
    char name[16];
    std::snprintf(name, sizeof name, "%03d/%03d", std::stoi(bus), address);
    node("bus/usb/" + std::string(name));
    return device;
  }
  /// An interface of it, with the kernel's driver bound to it, if one is.
  std::filesystem::path interface(const std::string& path, int number, const std::string& code, const std::string& driver) {
    const auto device = directory_of(path);
    const auto made = device / ((path.starts_with("usb") ? path.substr(3) + "-0" : path) + ":1." + std::to_string(number));
    char text[8];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(number));
    write(made / "bInterfaceNumber", std::string(text) + "\n");
    write(made / "bInterfaceClass", code.substr(0, 2) + "\n");
    write(made / "bInterfaceSubClass", code.substr(2, 2) + "\n");
    write(made / "bInterfaceProtocol", code.substr(4, 2) + "\n");
    if (!driver.empty()) link(made / "driver", dir_ / "sys/bus/usb/drivers" / driver);
    link(dir_ / "sys/bus/usb/devices" / made.filename(), made);
    return made;
  }
  std::filesystem::path hub_port(const std::string& hub, int number, bool can_switch, const std::string& plugged = "") {
    const auto interface_name = (hub.starts_with("usb") ? hub.substr(3) + "-0" : hub) + ":1.0";
    const auto port = directory_of(hub) / interface_name / (hub + "-port" + std::to_string(number));
    write(port / "connect_type", "hotplug\n");
    if (can_switch) write(port / "disable", "0\n");
    if (!plugged.empty()) link(port / "device", directory_of(plugged));
    return port;
  }
  /// A serial port below `device` (an interface for a ttyACM, a directory below one for a ttyUSB).
  void tty(const std::string& name, const std::filesystem::path& device, const std::string& driver = "") {
    std::filesystem::create_directories(device / "tty" / name);
    if (!driver.empty()) link(device / "driver", dir_ / "sys/bus/usb-serial/drivers" / driver);
    link(device / "tty" / name / "device", device);
    link(dir_ / "sys/class/tty" / name, device / "tty" / name);
    node(name);
  }
  void net(const std::string& name, const std::filesystem::path& device, std::map<std::string, std::string> attributes) {
    const auto made = (device.empty() ? dir_ / "sys/devices/virtual" : device) / "net" / name;
    for (const auto& [key, value] : attributes) write(made / key, value + "\n");
    if (!device.empty()) link(made / "device", device);
    link(dir_ / "sys/class/net" / name, made);
  }

  void node(const std::string& name) const { link(dir_ / "dev" / name, "/dev/null"); }
  static void link(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::create_directories(from.parent_path());
    std::filesystem::create_symlink(to, from);
  }
  static void write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

 private:
  static std::string bus_of(const std::string& path) { return path.starts_with("usb") ? path.substr(3) : path.substr(0, path.find('-')); }
  // "1-1.2" is a directory in that of "1-1", which is one in that of "usb1".
  std::filesystem::path directory_of(const std::string& path) const {
    std::filesystem::path directory = dir_ / "sys/devices/pci0000:00/0000:00:14.0" / ("usb" + bus_of(path));
    if (path.starts_with("usb")) return directory;
    for (auto dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) directory /= path.substr(0, dot);
    return directory / path;
  }

  TempDir dir_;
};

}  // namespace hilcop
