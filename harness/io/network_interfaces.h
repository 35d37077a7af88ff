// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "io/device_tree.h"
#include "io/usb_devices.h"

namespace hilcop {

struct NetworkInterface {
  std::string name;       // "eth1"
  std::string mac;        // "02:00:00:00:00:01"; "" where it has none
  std::string driver;     // of the kernel: "r8152"; "" for one that is only software
  bool hardware = false;  // a device is behind it: no bridge, tunnel, loopback
  bool wireless = false;
  std::optional<UsbIdentity> usb;      // of the adapter
  bool up = false;                     // switched on by this host
  std::optional<bool> carrier;         // a link partner is there; nullopt: not known while it is down
  std::vector<std::string> addresses;  // "192.168.7.1/24", "fe80::1/64"
};

/// Every network interface that this process's network namespace has, by name. Sends nothing. Never throws for what it finds.
std::vector<NetworkInterface> network_interfaces(const DeviceTree& tree = {});

}  // namespace hilcop
