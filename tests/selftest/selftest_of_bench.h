// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>

#include "fakes/device_files.h"
#include "planted_bench.h"
#include "selftest/selftest.h"

namespace hilcop {

/// A planted bench whose self-test is made.
class SelftestOfBench : public PlantedBench {
 protected:
  void SetUp() override {
    PlantedBench::SetUp();
    // Stages say how long a DUT may take to speak: here, not long.
    write_config("", kQuickBoard);
  }
  std::vector<SelftestItem> test(std::vector<std::string> duts = {}) {
    SelftestOptions options;
    options.duts = std::move(duts);
    options.out = dir_ / ("out" + std::to_string(++number_));
    std::filesystem::create_directories(options.out);
    options.least_free = 1;
    options.keeper = keeper();
    options.devices = devices_.tree();
    options.on_item = on_item_;
    options.ask_limit = 1500ms;
    return selftest(config(), options, table());
  }
  // What failed, as "item of dut: text".
  static std::vector<std::string> failures(const std::vector<SelftestItem>& items) {
    std::vector<std::string> found;
    for (const auto& item : items)
      if (item.grade == SelftestGrade::Fail) found.push_back(item.item + " of " + item.dut + ": " + item.text);
    return found;
  }
  static std::string grade(const std::vector<SelftestItem>& items, const std::string& what, const std::string& dut) {
    for (const auto& item : items)
      if (item.item == what && item.dut == dut) return to_string(item.grade) + (item.text.empty() ? "" : ": " + item.text);
    return "absent";
  }

  static constexpr const char* kQuickBoard = "board: plain\nboot_stages: [{ name: up, pattern: x, deadline_s: 0.3 }]\n";
  DeviceFiles devices_;
  std::function<void(const SelftestItem&)> on_item_;
  int number_ = 0;
};

}  // namespace hilcop
