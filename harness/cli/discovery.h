// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/config.h"

namespace hilcop {

/// An object that a lab-config file could have for a device.
struct Proposal {
  std::string driver;
  Recognised object;
};

/// A device of this host with what drivers make of it: those that are sure first.
struct Discovered {
  FoundDevice device;
  std::vector<Proposal> proposals;
  /// The first proposal stands for itself; otherwise people have to choose, or to think twice.
  bool settled = false;
};

/// Everything that this host has, by kind and name. A name of several objects gets a number. Opens nothing.
std::vector<Discovered> discover(const DeviceTree& tree, DriverTable drivers);

/// One line for people: "/dev/ttyUSB0: 0403:6001 FTDI FT232R ...".
std::string describe(const FoundDevice& device);
/// Of what can be opened; nullptr: not a device node.
const DeviceNode* node_of(const FoundDevice& device);

nlohmann::ordered_json to_json(const Discovered& one);
/// "serial_ports", "usb_devices", "gpio_chips", "network_interfaces".
std::string kind_of(const FoundDevice& device);

/// Whether an instrument of a bench is among them. Perhaps: one of its kind is, but only opening it would tell which. NotLookedFor: its
/// driver finds nothing by itself.
enum class Presence { There, Perhaps, Missing, NotLookedFor };
Presence presence_of(const InstrumentConfig& instrument, const std::vector<Discovered>& found, DriverTable drivers);
std::string to_string(Presence presence);

}  // namespace hilcop
