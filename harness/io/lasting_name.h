// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "io/serial_ports.h"

namespace hilcop {

/// How to name a serial port so that it is found again when adapters are plugged in another order: by udev's link with the adapter's
/// serial number, else by the link with the socket that it is in, else by its node.
struct LastingName {
  std::string path;
  std::string caution;  // for people: what must stay as it is for the name to be true; "" if nothing
};
LastingName lasting_name(const SerialPort& port);

}  // namespace hilcop
