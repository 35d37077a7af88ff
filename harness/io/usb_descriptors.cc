// SPDX-License-Identifier: Apache-2.0
#include "io/usb_descriptors.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

namespace hilcop {
namespace {

constexpr std::uint8_t kConfiguration = 2, kInterface = 4;
constexpr std::size_t kConfigurationSize = 9, kInterfaceSize = 9;

constexpr std::array<std::pair<const char*, int>, 19> kClasses{{{"audio", 0x01},
                                                                {"communications", 0x02},
                                                                {"hid", 0x03},
                                                                {"physical", 0x05},
                                                                {"image", 0x06},
                                                                {"printer", 0x07},
                                                                {"mass-storage", 0x08},
                                                                {"hub", 0x09},
                                                                {"cdc-data", 0x0a},
                                                                {"smart-card", 0x0b},
                                                                {"content-security", 0x0d},
                                                                {"video", 0x0e},
                                                                {"personal-healthcare", 0x0f},
                                                                {"audio-video", 0x10},
                                                                {"diagnostic", 0xdc},
                                                                {"wireless", 0xe0},
                                                                {"miscellaneous", 0xef},
                                                                {"application-specific", 0xfe},
                                                                {"vendor-specific", 0xff}}};

}  // namespace

std::vector<UsbFunction> usb_functions(std::span<const std::uint8_t> bytes) {
  std::vector<UsbFunction> found;
  int configuration = 0;
  while (bytes.size() >= 2 && bytes[0] >= 2 && bytes[0] <= bytes.size()) {
    const std::size_t size = bytes[0];
    if (bytes[1] == kConfiguration && size >= kConfigurationSize) configuration = bytes[5];
    if (bytes[1] == kInterface && size >= kInterfaceSize)
      found.push_back({configuration, bytes[2], bytes[3], bytes[5], bytes[6], bytes[7]});
    bytes = bytes.subspan(size);
  }
  return found;
}

std::vector<UsbFunction> usb_functions_of(const UsbIdentity& id, const DeviceTree& tree) {
  std::ifstream file(tree.sys / "bus/usb/devices" / id.path / "descriptors", std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  return usb_functions({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

const std::vector<std::string>& usb_class_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& [name, code] : kClasses) list.emplace_back(name);
    return list;
  }();
  return names;
}

int usb_class_code(const std::string& name) {
  for (const auto& [known, code] : kClasses)
    if (known == name) return code;
  return -1;
}

std::string usb_class_name(int code) {
  for (const auto& [name, known] : kClasses)
    if (known == code) return name;
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(code & 0xff));
  return text;
}

}  // namespace hilcop
