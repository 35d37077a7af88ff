// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/device_tree.h"

namespace hilcop {

/// What tells one USB device from another. Strings are the device's own, "" where it has none.
struct UsbIdentity {
  std::uint16_t vid = 0, pid = 0;
  std::string serial, manufacturer, product;
  std::string path;  // "1-1.2": the bus, and the port of each hub on the way; "usb1": the root hub of bus 1
  int bus = 0, address = 0;
};

struct UsbInterface {
  int number = 0;
  int class_code = 0, subclass = 0, protocol = 0;
  std::string driver;  // of the kernel, bound now; "" if none is
};

/// A port of a hub.
struct UsbHubPort {
  int number = 0;                 // from 1
  std::filesystem::path disable;  // the attribute that switches its power (kernel 6.0 and later); empty: there is none
  bool disable_writable = false;  // by this user
  std::string connect_type;       // "hotplug", "hardwired", "not used", "unknown": what the firmware of this host says
  std::string peer;               // "2-1-port3": the same socket on the other half of a USB 3 hub; "" if there is none
  std::string device;             // path of what is plugged in: "1-1.2"; "" if nothing is
};

struct UsbDevice {
  UsbIdentity id;
  double speed_mbps = 0;  // 1.5, 12, 480, 5000 ...
  int class_code = 0;     // 0: each interface has its own; 9: a hub
  std::vector<UsbInterface> interfaces;
  std::vector<UsbHubPort> ports;  // of a hub
  DeviceNode node;                // /dev/bus/usb/001/004
};

/// Every USB device of this host, root hubs included, by path. Values of now; opens no device, sends nothing to one. Never throws for
/// what it finds: what cannot be read, or goes while being read, is left out.
std::vector<UsbDevice> usb_devices(const DeviceTree& tree = {});

/// Of the USB device that a directory of sysfs is, or is below ("/sys/.../1-1.2/1-1.2:1.0/ttyUSB0"); nullopt: of none.
std::optional<UsbIdentity> usb_identity_of(const std::filesystem::path& directory, const DeviceTree& tree = {});
/// bInterfaceNumber of the interface that the directory is, or is below.
std::optional<int> usb_interface_of(const std::filesystem::path& directory, const DeviceTree& tree = {});

/// "0403:6001".
std::string vid_pid(const UsbIdentity& id);
/// Orders "1-1.2" before "1-1.10".
bool earlier_path(const std::string& a, const std::string& b);

}  // namespace hilcop
