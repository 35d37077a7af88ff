// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "io/gpio_chips.h"
#include "io/network_interfaces.h"
#include "io/serial_ports.h"
#include "io/usb_devices.h"

namespace hilcop {

/// One device of this host that an instrument may be.
using FoundDevice = std::variant<SerialPort, UsbDevice, GpioChip, NetworkInterface>;

/// Everything that this host has now. Opens nothing.
std::vector<FoundDevice> found_devices(const DeviceTree& tree = {});

/// What a driver makes of a device: an object of `instruments:` in a lab-config file.
struct Recognised {
  std::string name;               // to call it by: "relay"; numbered by who writes the file
  nlohmann::ordered_json config;  // the driver's keys; what is left out has its default
  /// The device says that it is this. Otherwise it has a chip that this kind of instrument shares with other things: only people know.
  bool sure = false;
  std::string note;     // for the one who reads the file: what to look at, what else it needs; may be empty
  std::string channel;  // one that a DUT would use: "console", "1"
  std::string role;     // as what: "consoles.main", "power", "outputs.NAME"
};

}  // namespace hilcop
