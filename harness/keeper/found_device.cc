// SPDX-License-Identifier: Apache-2.0
#include "keeper/found_device.h"

#include <iterator>

namespace hilcop {

std::vector<FoundDevice> found_devices(const DeviceTree& tree) {
  std::vector<FoundDevice> found;
  const auto add = [&found](auto list) {
    found.insert(found.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
  };
  add(serial_ports(tree));
  add(usb_devices(tree));
  add(gpio_chips(tree));
  add(network_interfaces(tree));
  return found;
}

}  // namespace hilcop
