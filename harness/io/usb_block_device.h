// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "io/block_device.h"

namespace hilcop {

/// A USB mass-storage device. Both must fit: a path alone names whatever is plugged in there, and cheap sticks share serial numbers.
struct UsbDiskSelector {
  std::string path;        // "1-1.2", as in /sys/bus/usb/devices
  std::string serial;      // as the device says it
  std::optional<int> lun;  // of a reader with several slots
};

/// The kernel's name of the one disk that it is ("sdb"). Throws Error on `object`: NotFound with every USB disk there is, Config when the
/// device at that path has another serial number (which is said) or there are several slots and no `lun`.
std::string find_usb_disk(const UsbDiskSelector& selector, const std::string& object, const DeviceTree& tree = {});

/// Opens what find_usb_disk has `found`, as open_block_device does, and looks for it once more when it is open: Error{Disconnected} when it
/// was unplugged in between, also if another has its name by now.
std::unique_ptr<BlockDevice> open_usb_disk(const UsbDiskSelector& selector, const std::string& found, const std::string& object,
                                           std::uint64_t max_bytes, const DeviceTree& tree = {});

}  // namespace hilcop
