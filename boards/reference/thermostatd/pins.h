// SPDX-License-Identifier: Apache-2.0
// The LED and the button, as the kernel's sysfs shows them: FOLDER/led/value and FOLDER/button/value. No folder: a board without pins.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "fd.h"

namespace ht1 {

// Says once that the button was held so long; letting go starts afresh.
class HeldButton {
 public:
  explicit HeldButton(double hold_s) : hold_s_(hold_s) {}
  bool sees(bool pressed, double now);

 private:
  double hold_s_;
  std::optional<double> since_;
  bool told_ = false;
};

class Pins {
 public:
  Pins(std::filesystem::path folder, double hold_s, std::function<void()> held);
  ~Pins();
  void start();
  void led(bool on);

 private:
  void watch();
  bool pressed() const;

  std::filesystem::path folder_;
  HeldButton button_;
  std::function<void()> held_;
  Fd stop_read_, stop_write_;
  std::mutex mutex_;
  std::optional<bool> led_;
  std::thread thread_;
};

}  // namespace ht1
