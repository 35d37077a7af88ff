// SPDX-License-Identifier: Apache-2.0
#include "io/serial_ports.h"

#include <string.h>
#include <sys/stat.h>

#include <algorithm>

#include "io/device_users.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;

// serial8250 makes ttyS0 to ttyS31 whatever there is; PORT_UNKNOWN is 0 (linux/serial_core.h).
bool has_uart(const fs::path& tty) {
  const auto type = sysfs_number(tty / "type");
  return !type || *type != 0;
}

bool is_host_console(const std::string& name, const DeviceTree& tree) {
  const std::string active = " " + sysfs_text(tree.sys / "class/tty/console/active") + " ";
  return active.find(" " + name + " ") != std::string::npos;
}

// Since Linux 6.5 two devices of the bus "serial-base" stand between a UART's port and its real device, with drivers named "port" and
// "ctrl" (seen on 6.18).
std::string driver_of(const fs::path& device) {
  std::error_code none;
  for (fs::path at = fs::canonical(device, none); at.has_relative_path(); at = at.parent_path())
    if (const auto driver = link_name(at / "driver"); !driver.empty() && link_name(at / "subsystem") != "serial-base") return driver;
  return "";
}

std::vector<std::string> links_to(const fs::path& node, const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code none;
  for (fs::directory_iterator entry(folder, none), end; !none && entry != end; entry.increment(none)) {
    std::error_code dangling;
    if (fs::read_symlink(entry->path(), dangling).filename() == node.filename()) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::vector<SerialPort> serial_ports(const DeviceTree& tree) {
  std::vector<SerialPort> ports;
  std::error_code none;
  for (fs::directory_iterator entry(tree.sys / "class/tty", none), end; !none && entry != end; entry.increment(none)) {
    const fs::path tty = entry->path();
    const fs::path device = tty / "device";
    std::error_code gone;
    if (!fs::exists(device, gone) || !has_uart(tty)) continue;
    SerialPort port;
    port.name = tty.filename();
    port.node = look_at_node(tree.dev / port.name);
    port.by_id = links_to(port.node.path, tree.dev / "serial/by-id");
    port.by_path = links_to(port.node.path, tree.dev / "serial/by-path");
    port.driver = driver_of(device);
    port.usb = usb_identity_of(device, tree);
    if (port.usb) port.usb_interface = usb_interface_of(device, tree).value_or(0);
    port.host_console = is_host_console(port.name, tree);
    if (struct stat info{}; ::stat(port.node.path.c_str(), &info) == 0 && S_ISCHR(info.st_mode))
      port.open_by = other_users_of(info.st_rdev);
    ports.push_back(std::move(port));
  }
  std::sort(ports.begin(), ports.end(),
            [](const SerialPort& a, const SerialPort& b) { return ::strverscmp(a.name.c_str(), b.name.c_str()) < 0; });
  return ports;
}

std::string describe(const SerialPort& port) {
  std::string text = port.node.path.string() + ":";
  if (port.usb) {
    text += " " + vid_pid(*port.usb);
    for (const auto& word : {port.usb->manufacturer, port.usb->product}) text += word.empty() ? "" : " " + word;
    text += port.usb->serial.empty() ? ", no serial number" : ", serial number " + port.usb->serial;
    text += ", USB path " + port.usb->path + ", interface " + std::to_string(port.usb_interface) + ",";
  }
  text += " driver " + (port.driver.empty() ? "unknown" : port.driver);
  if (port.host_console) text += "; the console of this host itself";
  if (!port.node.accessible) text += "; no access: " + port.node.problem;
  if (!port.open_by.empty()) text += "; open in " + port.open_by;
  return text;
}

}  // namespace hilcop
