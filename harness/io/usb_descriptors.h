// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/usb_devices.h"

namespace hilcop {

/// One setting of an interface, as a device's descriptors declare it (USB 2.0, 9.6.5), whether it is in use or not.
struct UsbFunction {
  int configuration = 0, interface = 0, alternate = 0;
  int class_code = 0, subclass = 0, protocol = 0;
  bool operator==(const UsbFunction&) const = default;
};

/// From the device's descriptor and those of all its configurations, one after another, as sysfs has them. Written by the device:
/// what makes no sense ends the list.
std::vector<UsbFunction> usb_functions(std::span<const std::uint8_t> descriptors);
/// Of the device as the kernel has read them; empty where it has gone.
std::vector<UsbFunction> usb_functions_of(const UsbIdentity& id, const DeviceTree& tree = {});

/// Names of the classes (usb.org, "Defined Class Codes"): "hid" is 3.
const std::vector<std::string>& usb_class_names();
int usb_class_code(const std::string& name);
/// "hid"; "0x42" of one without a name.
std::string usb_class_name(int code);

}  // namespace hilcop
