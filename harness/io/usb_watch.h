// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>

#include "base/clock.h"
#include "io/usb_descriptors.h"

namespace hilcop {

struct UsbChange {
  bool arrived = false;  // false: it left
  UsbDevice device;
  std::vector<UsbFunction> functions;
  SteadyTime at;       // when it was noticed
  bool first = false;  // was there when the watching began
  std::string how;     // "hotplug", or why not
};

/// Tells what USB devices come and go, until it is destroyed. By libusb's hotplug where udevd runs, within milliseconds; else it looks at
/// sysfs every 200 ms. One that was away between two looks is told as left and arrived.
class UsbWatch {
 public:
  using Tell = std::function<void(const UsbChange&)>;
  /// Tells of all that is there before it returns; then from a thread of its own, and from look(), one at a time. Throws Error.
  static std::unique_ptr<UsbWatch> start(Tell tell, DeviceTree tree = {});
  virtual ~UsbWatch() = default;
  /// Looks now, and has told of all that changed when it returns.
  virtual void look() = 0;
};

}  // namespace hilcop
