// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "io/device_tree.h"
#include "io/usb_devices.h"

namespace hilcop {

/// A serial port of this host, as the kernel and udev show it.
struct SerialPort {
  std::string name;                  // "ttyUSB0"
  DeviceNode node;                   // /dev/ttyUSB0
  std::vector<std::string> by_id;    // links of udev that lead to it: "/dev/serial/by-id/usb-FTDI_..."
  std::vector<std::string> by_path;  // "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0"
  std::string driver;                // of the kernel: "ftdi_sio", "cdc_acm"
  std::optional<UsbIdentity> usb;    // of the adapter
  int usb_interface = 0;             // of the adapter, where usb is set
  bool host_console = false;         // the kernel of this host speaks on it
  std::string open_by;               // other processes that have it open: "picocom (pid 4711)"; seen of other users by root only
};

/// Every serial port with a device behind it, whether or not this user may open it, by name: no pseudo-terminal, no virtual console,
/// no ttyS without a UART. Values of now; opens none. Never throws for what it finds.
std::vector<SerialPort> serial_ports(const DeviceTree& tree = {});

/// One line for people: "/dev/ttyUSB0: 0403:6001 FTDI FT232R serial A1B2, USB path 1-1.2, driver ftdi_sio; no access: ...".
std::string describe(const SerialPort& port);

}  // namespace hilcop
