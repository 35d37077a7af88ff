// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "io/usb.h"

namespace hilcop {

/// What a hub says of itself (USB 2.0, 11.23.2.1; USB 3.2, 10.15.2.1).
struct UsbHubTraits {
  int ports = 0;
  /// Why its ports cannot be switched one by one; empty: they can.
  std::string not_per_port;
};
UsbHubTraits hub_traits(UsbHandle& hub, bool super_speed, Deadline deadline);

/// Of a port's power, as the hub itself reports it. `super_speed`: of the USB 3 half of a hub.
bool hub_port_powered(UsbHandle& hub, bool super_speed, int port, Deadline deadline);
void set_hub_port_power(UsbHandle& hub, int port, bool on, Deadline deadline);

/// The same by the kernel's attribute portN/disable (Linux 6.0): the kernel lets go of the device at once, and asks the hub for what
/// it reads. `object` is for errors.
bool kernel_port_powered(const std::filesystem::path& disable, const std::string& object);
void set_kernel_port_power(const std::filesystem::path& disable, bool on, const std::string& object);

bool is_super_speed(const UsbDevice& device);

}  // namespace hilcop
