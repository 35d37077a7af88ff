// SPDX-License-Identifier: Apache-2.0
#include "bench/usb_config.h"

#include "io/usb_descriptors.h"

namespace hilcop {

BoardUsb read_board_usb(const nlohmann::json& value) {
  BoardUsb usb;
  for (const auto& device : value["expected"]) {
    BoardUsb::Device expected{device["vid"], device["pid"], {}};
    for (const auto& one : device["interfaces"]) {
      BoardUsb::Interface interface {
        usb_class_code(one["class"]), {}, {}
      };
      if (!one["subclass"].is_null()) interface.subclass = one["subclass"].get<int>();
      if (!one["protocol"].is_null()) interface.protocol = one["protocol"].get<int>();
      expected.interfaces.push_back(interface);
    }
    usb.expected.push_back(std::move(expected));
  }
  for (const auto& name : value["forbidden_classes"]) usb.forbidden_classes.push_back(usb_class_code(name));
  return usb;
}

UsbSelector read_usb_selector(const nlohmann::json& value) {
  UsbSelector selector{{}, {}, value["serial"], value["path"]};
  if (!value["vid"].is_null()) selector.vid = value["vid"].get<int>();
  if (!value["pid"].is_null()) selector.pid = value["pid"].get<int>();
  return selector;
}

}  // namespace hilcop
