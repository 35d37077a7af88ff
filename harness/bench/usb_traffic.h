// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "capture/captures.h"
#include "io/usb_devices.h"

namespace hilcop {

/// What is recorded of what passes between this host and the USB devices of one DUT (UsbMonitor). What is known to be of another device is
/// left out; a device that has just come is recorded until it is known whose it is, so that nothing of its first words is missing.
/// Thread-safe.
class UsbTraffic {
 public:
  explicit UsbTraffic(std::string object) : object_(std::move(object)), captures_(object_) {}

  void arrived(const UsbIdentity& id, bool of_dut);
  void left(const UsbIdentity& id);
  void mark(const std::string& text) { captures_.mark(text); }

  /// From the return on. As Captures'; Error also where this host has no usbmon, or this user may not use it.
  void start(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring);
  nlohmann::json stop(const std::string& name);
  nlohmann::json sync(const std::string& name, Deadline deadline);

 private:
  using Number = std::pair<int, int>;  // bus, device
  bool is_wanted(int bus, int device);

  std::string object_;
  std::mutex mutex_;
  std::set<Number> others_;
  std::map<Number, std::string> own_;
  Captures captures_;  // the last: its threads ask for the others
};

}  // namespace hilcop
