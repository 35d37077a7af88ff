// SPDX-License-Identifier: Apache-2.0
#include "io/usb_descriptors.h"

#include <gtest/gtest.h>

namespace hilcop {
namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes kDevice{18, 1, 0, 2, 0, 0, 0, 64, 0x25, 0x05, 0xa7, 0xa4, 0, 1, 1, 2, 3, 2};

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
Bytes configuration(std::uint8_t value) { return {9, 2, 0, 0, 1, value, 0, 0x80, 50}; }
Bytes interface(std::uint8_t number, std::uint8_t setting, std::uint8_t code) { return {9, 4, number, setting, 0, code, 1, 2, 0}; }

TEST(UsbDescriptors, WhatHidesInAnotherSettingOrConfigurationIsSeen) {
  const auto seen = usb_functions(joined(
      {kDevice, configuration(1), interface(0, 0, 2), {5, 0x24, 0, 0x10, 1}, interface(0, 1, 3), configuration(2), interface(0, 0, 8)}));
  EXPECT_EQ(seen, (std::vector<UsbFunction>{{1, 0, 0, 2, 1, 2}, {1, 0, 1, 3, 1, 2}, {2, 0, 0, 8, 1, 2}}));
}

TEST(UsbDescriptors, WhatMakesNoSenseEndsTheListAndLosesNothingBefore) {
  const auto sound = joined({kDevice, configuration(1), interface(0, 0, 3)});
  EXPECT_EQ(usb_functions(joined({sound, {0, 4}})).size(), 1u);        // a length of nothing would never end
  EXPECT_EQ(usb_functions(joined({sound, {9, 4, 1, 0}})).size(), 1u);  // torn
  EXPECT_EQ(usb_functions(joined({sound, {4, 4, 1, 0}})).size(), 1u);  // too short to be an interface
  for (std::size_t size = 0; size < sound.size(); ++size) EXPECT_TRUE(usb_functions({sound.data(), size}).empty()) << size;
  EXPECT_TRUE(usb_functions({}).empty());
}

TEST(UsbDescriptors, ClassesHaveNamesAndTheOthersNumbers) {
  for (const auto& name : usb_class_names()) EXPECT_EQ(usb_class_name(usb_class_code(name)), name);
  EXPECT_EQ(usb_class_code("mass-storage"), 8);
  EXPECT_EQ(usb_class_name(0x42), "0x42");
  EXPECT_EQ(usb_class_code("no such"), -1);
}

}  // namespace
}  // namespace hilcop
