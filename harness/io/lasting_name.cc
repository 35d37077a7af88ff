// SPDX-License-Identifier: Apache-2.0
#include "io/lasting_name.h"

namespace hilcop {

LastingName lasting_name(const SerialPort& port) {
  if (port.usb && !port.usb->serial.empty() && !port.twin && !port.by_id.empty()) return {port.by_id.front(), ""};
  if (!port.by_path.empty())
    return {port.by_path.front(), !port.usb ? ""
                                  : port.twin
                                      ? "another adapter has the same identity: known by the USB port that it is in, so leave it there"
                                      : "it has no serial number: known by the USB port that it is in, so leave it there"};
  return {port.node.path,
          port.usb ? "udev has made no link in /dev/serial for it: this name goes to whichever adapter is plugged in first" : ""};
}

}  // namespace hilcop
