// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "io/device_tree.h"
#include "io/usb_devices.h"

namespace hilcop {

/// A GPIO controller. Its label and its lines are told only to who opens it.
struct GpioChip {
  std::string name;                // "gpiochip0"
  DeviceNode node;                 // /dev/gpiochip0
  std::string driver;              // of the kernel: "mcp2221", "pinctrl-bcm2835"
  std::optional<UsbIdentity> usb;  // of an adapter
};

/// Every GPIO controller of this host, by name. Values of now; opens none. Never throws for what it finds.
std::vector<GpioChip> gpio_chips(const DeviceTree& tree = {});

}  // namespace hilcop
